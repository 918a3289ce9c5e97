// Loaded by serverless.yml; affects only `serverless offline`.
const { answerLikeAws } = require('./gateway.cjs');

module.exports = class LocalPlugin {
  constructor(serverless) {
    // A child of `npm start`, which runs the schedules itself, orders a reload of edited functions, and must not be outlived
    // by this process.
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

// For API Gateway, /path and /path/ are two routes. serverless-offline treats them as one and refuses the duplicate.
function mergeTrailingSlashes(functions) {
  for (const definition of Object.values(functions)) {
    const routes = new Set(definition.events?.map((event) => event.httpApi));
    definition.events = definition.events?.filter(
      ({ httpApi }) =>
        !(typeof httpApi === 'string' && httpApi.endsWith('/') && routes.has(httpApi.slice(0, -1))),
    );
  }
}

// serverless-offline would run each of them a second time, at every full minute.
function dropSchedules(functions) {
  for (const definition of Object.values(functions)) {
    definition.events = definition.events?.filter((event) => event.schedule === undefined);
  }
}
