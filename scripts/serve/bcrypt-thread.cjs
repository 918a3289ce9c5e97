// A thread that computes bcrypt: hashing-threads.ts starts it. CommonJS, so that it runs with and without a build.
const { parentPort } = require('node:worker_threads');
const bcrypt = require('bcryptjs');

parentPort.on('message', ({ password, cost, hash }) => {
  parentPort.postMessage(
    hash === undefined ? bcrypt.hashSync(password, cost) : bcrypt.compareSync(password, hash),
  );
});
