// Loaded by serverless.yml: completes the service by what follows from its list of functions, so that a new function
// needs no role, alarm or key of its own in the configuration. `serverless offline` has no use for any of it.
module.exports = class DeployPlugin {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        if (serverless.processedInput.commands[0] === 'offline') return;
        const { completeService } = require('tsx/cjs/api').require('./complete-service.ts', __filename);
        const provider = serverless.getProvider('aws');
        try {
          completeService(serverless.service, provider.getStage(), provider.naming);
        } catch (error) {
          // Named, so that the framework shows the message and not a stack.
          throw new serverless.classes.Error(error.message, 'ROLLCALL_PARAMETERS');
        }
      },
    };
  }
};
