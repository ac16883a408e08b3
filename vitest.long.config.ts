import { defineConfig } from 'vitest/config';
import { BUILT_MODULES, importBuilt } from './tests/support/built.ts';

/** Tests that have to take long, such as those of real outages. */
export default defineConfig({
  plugins: [importBuilt],
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/built.ts', 'tests/support/leakScan.ts', 'tests/support/sharedRedis.ts'],
    server: { deps: { external: [BUILT_MODULES] } },
    include: ['tests/long/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
