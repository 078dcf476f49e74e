/** One configuration for the application and its packages; TypeScript is stripped by swc, types are checked by `npm run check`. */
export default {
  // What a failed test leaves open must not hold the process up.
  forceExit: true,
  // Most tests wait more than they compute, so two files at a time keep two cores busy; a process that has read many files is replaced.
  maxWorkers: '100%',
  workerIdleMemoryLimit: '1GB',
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/packages'],
  testMatch: ['**/*.spec.ts', '**/*.e2e-spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@samvad/embedded-mongo$': '<rootDir>/packages/embedded-mongo/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  collectCoverageFrom: ['src/**/*.ts', 'packages/*/src/**/*.ts', '!**/*.spec.ts'],
  coverageDirectory: 'coverage',
  coverageProvider: 'v8',
  // Far more than any test needs: a slow machine is no failure.
  testTimeout: 60_000,
  testEnvironmentOptions: { globalsCleanup: 'off' },
  modulePathIgnorePatterns: ['/dist/'],
};
