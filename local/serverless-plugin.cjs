// Loaded by serverless.yml; affects only `serverless offline`.
const { answerLikeAws } = require('./gateway.cjs');

module.exports = class LocalPlugin {
  constructor({ service }) {
    // A child of `npm start -- --threads` or of a test, which runs the schedules itself and must not be outlived by this process.
    const isChild = process.send !== undefined;
    const prepare = () => {
      mergeTrailingSlashes(service.functions);
      if (isChild) dropSchedules(service.functions);
      answerLikeAws();
    };
    // Of `serverless offline`, and of `serverless offline start`.
    this.hooks = { 'before:offline:start': prepare, 'before:offline:start:init': prepare };
    if (isChild) process.on('disconnect', () => process.exit());
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
