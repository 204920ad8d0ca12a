import { defineConfig } from 'vitest/config';

const never = ['**/node_modules/**', 'test/src/**'];
/** Tests of the whole platform: each file starts one, so they run one after another. */
const whole = ['test/system/**/*.test.ts'];
/** What is too long for every time. */
const long = ['test/full/**/*.test.ts', 'bench/test/**/*.test.ts'];
const units = '**/*.unit.test.ts';
const oneAtATime = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 };
/** What is waited for mostly comes at once; a machine that stands still for seconds fails no test. */
const patient = { expect: { poll: { timeout: 15_000 } } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patient,
          name: 'unit',
          testTimeout: 30_000,
          include: ['**/test/**/*.unit.test.ts'],
          exclude: never,
        },
      },
      {
        test: {
          ...patient,
          name: 'integration',
          include: ['**/test/**/*.test.ts'],
          exclude: [...never, ...whole, ...long, units],
          globalSetup: ['chassis/src/testing/global-setup.ts'],
          // Mostly they wait for processes: two files at a time also where there are two cores.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: { name: 'system', include: whole, ...patient, ...oneAtATime },
      },
      {
        test: {
          name: 'full',
          include: long,
          exclude: [...never, units],
          ...patient,
          ...oneAtATime,
        },
      },
    ],
  },
});
