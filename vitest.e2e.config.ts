import { defineConfig } from 'vitest/config';
import { BUILT_MODULES, importBuilt } from './tests/support/built.ts';

/** Tests in a real Chromium (Debian's) against the real service. */
export default defineConfig({
  plugins: [importBuilt],
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/built.ts', 'tests/support/leakScan.ts', 'tests/support/sharedRedis.ts'],
    server: { deps: { external: [BUILT_MODULES] } },
    include: ['tests/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    // Files share what they load; each has a browser and a service of its own.
    isolate: false,
  },
});
