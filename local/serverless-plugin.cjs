// Loaded by serverless.yml; does something only for `serverless offline`.
module.exports = class LocalPlugin {
  constructor(serverless) {
    this.hooks = { 'before:offline:start': () => mergeTrailingSlashes(serverless.service.functions) };
    // Under `npm start`: edited functions are loaded anew, and this process does not outlive the one above it.
    if (!process.send) return;
    process.on('message', (message) => {
      if (message === 'reload') serverless.pluginManager.spawn('offline:functionsUpdated');
    });
    process.on('disconnect', () => process.exit());
  }
};

// To API Gateway /path and /path/ are two routes. serverless-offline takes them for one, and refuses to have it twice.
function mergeTrailingSlashes(functions) {
  for (const definition of Object.values(functions)) {
    const routes = new Set(definition.events?.map((event) => event.httpApi));
    definition.events = definition.events?.filter(
      ({ httpApi }) =>
        !(typeof httpApi === 'string' && httpApi.endsWith('/') && routes.has(httpApi.slice(0, -1))),
    );
  }
}
