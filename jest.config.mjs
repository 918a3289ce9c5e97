/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  // These ship ES modules only; everything else is loaded as it is.
  transformIgnorePatterns: ['/node_modules/(?!jose/|@seriousme/|@scure/)'],
  transform: {
    '\\.(ts|js)$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }],
  },
  globalSetup: '<rootDir>/tests/setup/global-setup.ts',
  globalTeardown: '<rootDir>/tests/setup/global-teardown.ts',
  // Mostly waiting for servers: more at once than the default of one less than there are cores.
  maxWorkers: 2,
  // For what hangs, not for what is slow: a machine that does other things runs all of this too.
  testTimeout: 600_000,
};
