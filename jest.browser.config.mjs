// `npm run test:browser`: the console in a real browser, over `npm start`. Apart from `npm test`, which needs Node.js alone.
import base from './jest.config.mjs';

const { globalSetup: _setup, globalTeardown: _teardown, ...shared } = base;

/** @type {import('jest').Config} */
export default {
  ...shared,
  testMatch: ['<rootDir>/tests/browser/**/*.browser.ts'],
  testTimeout: 120_000,
  maxWorkers: 1,
};
