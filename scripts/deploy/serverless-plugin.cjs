// Loaded by serverless.yml: adds what follows from the list of functions, so that a new function needs no role, alarm or log
// group in the configuration. `serverless offline` does not use it.
const load = (file) => require('tsx/cjs/api').require(file, __filename);

module.exports = class DeployPlugin {
  constructor(serverless) {
    const { service } = serverless;
    const { naming } = serverless.getProvider('aws');
    this.hooks = {
      initialize: () => {
        if (serverless.processedInput.commands[0] === 'offline') return;
        try {
          load('./complete-service.ts').completeService(
            service,
            serverless.getProvider('aws').getStage(),
            naming,
          );
        } catch (error) {
          // With this name the framework shows the message and no stack trace.
          throw new serverless.classes.Error(error.message, 'ROLLCALL_PARAMETERS');
        }
      },
      'before:package:compileEvents': () =>
        load('./aliases.ts').addAliases(service, service.provider.compiledCloudFormationTemplate, naming),
      'after:package:compileEvents': () =>
        load('./api-role.ts').invokeByRole(service, service.provider.compiledCloudFormationTemplate, naming),
    };
  }
};
