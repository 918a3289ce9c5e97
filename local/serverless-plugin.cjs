// Loaded by serverless.yml; affects only `serverless offline`.
const { once } = require('node:events');
const local = require('./functions.cjs');
const { answerLikeAws } = require('./gateway.cjs');

module.exports = class LocalPlugin {
  constructor({ service }, options) {
    // A child of `npm start` or of a test, which runs the schedules itself and must not be outlived by this process.
    const isChild = process.send !== undefined;
    const runsBundles = isChild && options.useInProcess === true;
    const prepare = () => {
      mergeTrailingSlashes(service.functions);
      if (isChild) dropSchedules(service.functions);
      if (runsBundles) callBundles(service.functions);
      answerLikeAws(runsBundles ? injectFault : undefined);
    };
    this.hooks = {
      // Of `serverless offline`, and of `serverless offline start`.
      'before:offline:start': prepare,
      'before:offline:start:init': prepare,
      'before:offline:start:end': () => local.stop(),
    };
    if (!isChild) return;
    process.on('disconnect', () => process.exit());
    process.on('message', (message) => {
      if (message.bundle) process.send({ failure: load(message.bundle) });
    });
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

function callBundles(functions) {
  for (const [name, definition] of Object.entries(functions)) {
    local.handlers[name] = local.handlerOf(name);
    definition.handler = `local/functions.handlers.${name}`;
  }
}

/** @returns what the bundle throws when it is loaded, as text */
function load(bundle) {
  try {
    local.load(bundle);
    return null;
  } catch (error) {
    return String(error?.stack ?? error);
  }
}

/** Those of the consumers are in this process, those of the broker in the one that started it. */
async function injectFault(fault) {
  if (await local.inject(fault)) return true;
  process.send({ fault });
  const [{ injected }] = await once(process, 'message');
  return injected;
}
