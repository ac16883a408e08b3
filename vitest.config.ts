import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/leakScan.ts'],
    // Render children are forked from TypeScript sources; they inherit this loader through process.execArgv.
    execArgv: ['--import', 'tsx'],
    include: ['tests/unit/**/*.test.ts', 'tests/integration/**/*.test.ts', 'tests/security/**/*.test.ts'],
    // What hangs is told by `eventually` before; a machine with two noisy cores needs the rest.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores: more parallel files only make timings noisy.
    maxWorkers: 2,
  },
});
