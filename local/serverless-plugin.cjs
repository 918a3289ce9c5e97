// Loaded by serverless.yml; does something only for `serverless offline`.
const { answerLikeAws } = require('./gateway.cjs');

module.exports = class LocalPlugin {
  constructor(serverless) {
    // Under `npm start`: it runs what is scheduled, edited functions are loaded anew, and this process does not outlive
    // the one above it.
    const underStart = process.send !== undefined;
    this.hooks = {
      'before:offline:start': () => {
        const { functions } = serverless.service;
        mergeTrailingSlashes(functions);
        if (underStart) dropSchedules(functions);
        answerLikeAws();
      },
    };
    if (!underStart) return;
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

// serverless-offline would run each a second time, at the full minute.
function dropSchedules(functions) {
  for (const definition of Object.values(functions)) {
    definition.events = definition.events?.filter((event) => event.schedule === undefined);
  }
}
