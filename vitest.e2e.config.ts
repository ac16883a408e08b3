import { defineConfig } from 'vitest/config';

/** Tests in a real Chromium (Debian's) against the built package; see tests/e2e. */
export default defineConfig({
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
