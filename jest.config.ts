import type { Config } from 'jest';

/**
 * `unit` suites need no part running; `real` ones get a broker, a registry and an engine from their global set-up, and
 * `long` ones do, too: they have more time than `npm test` has (npm run test:long).
 */
const shared = {
  rootDir: '.',
  runtime: '<rootDir>/services/testing/jest/native-runtime.ts',
  testEnvironment: '<rootDir>/services/testing/jest/native-environment.ts',
  testRunner: '<rootDir>/services/testing/jest/counted-runner.ts',
  transform: {},
  injectGlobals: false,
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/.parts/', '/.hindsight/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.parts/', '<rootDir>/.hindsight/'],
} satisfies Config;

const onParts = {
  ...shared,
  globalSetup: '<rootDir>/services/testing/parts-setup.ts',
  globalTeardown: '<rootDir>/services/testing/parts-teardown.ts',
} satisfies Config;

const config: Config = {
  maxWorkers: 2,
  /** Each suite has a process of its own: what one leaves behind, no other finds (services/testing/jest/native-runtime.ts). */
  workerIdleMemoryLimit: 0,
  reporters: ['default', '<rootDir>/services/testing/jest/slowest-suites.ts'],
  /** For what hangs. How fast anything is depends on the machine, and is measured elsewhere (npm run bench). */
  testTimeout: 300_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['**/*.test.ts'],
      testPathIgnorePatterns: [
        ...shared.testPathIgnorePatterns,
        '\\.(real|long)\\.test\\.ts$',
        '/docs/tour/',
      ],
    },
    {
      ...onParts,
      displayName: 'real',
      testMatch: ['**/*.real.test.ts'],
    },
    {
      ...onParts,
      displayName: 'long',
      testMatch: ['**/*.long.test.ts', '<rootDir>/docs/tour/**/*.test.ts'],
    },
  ],
};

export default config;
