// Under `npm start`, serverless-offline finds the handler of every function here: it calls the newest bundle.

/** The bundle that answers new calls. */
let current;
let announceFirst;
const first = new Promise((resolve) => {
  announceFirst = resolve;
});

/**
 * Replaces the bundle. Calls under way stay with the one that they began in, which ends after the last of them.
 * @throws what the new bundle throws when it is loaded; then nothing is replaced
 */
exports.load = (file) => {
  const { CONSUMER_FAULTS, functions, startService } = require(file);
  const previous = current;
  current = { file, functions, faults: CONSUMER_FAULTS, service: startService(), calls: 0, onIdle: () => {} };
  announceFirst();
  if (previous) void retire(previous);
};

/** Finishes the work in the background. */
exports.stop = () => current?.service.stopTasks();

/**
 * Injects a fault into the newest bundle.
 * @returns false if it has none of that name
 */
exports.inject = async (fault) => {
  if (!current?.faults.includes(fault)) return false;
  await current.service.inject(fault);
  return true;
};

/** What serverless-offline calls, by the functions' names. */
exports.handlers = {};

/** @returns the handler for `handlers`. Calls before the first bundle, which comes when the servers are ready, wait for it */
exports.handlerOf = (name) => async (event, context) => {
  await first;
  const bundle = current;
  const run = bundle.functions[name];
  if (!run) throw new Error(`functions/ has no ${name} any more: start npm start again`);
  bundle.calls += 1;
  try {
    return await run(event, context);
  } finally {
    bundle.calls -= 1;
    if (bundle.calls === 0) bundle.onIdle();
  }
};

async function retire(bundle) {
  await bundle.service.stopTasks();
  if (bundle.calls > 0) {
    await new Promise((resolve) => {
      bundle.onIdle = resolve;
    });
  }
  await bundle.service.close();
  // So that its memory is free again.
  module.children = module.children.filter(({ filename }) => filename !== bundle.file);
  delete require.cache[bundle.file];
}
