import { defineConfig } from 'vitest/config';

/** Tests in a real Chromium (Debian's) against the real service. */
export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/leakScan.ts'],
    execArgv: ['--import', 'tsx'],
    include: ['tests/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
