import { defineConfig } from 'vitest/config';
import { BUILT_MODULES, importBuilt } from './tests/support/built.ts';

export default defineConfig({
  plugins: [importBuilt],
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/built.ts', 'tests/support/leakScan.ts'],
    server: { deps: { external: [BUILT_MODULES] } },
    include: ['tests/unit/**/*.test.ts', 'tests/integration/**/*.test.ts', 'tests/security/**/*.test.ts'],
    // What hangs is told by `eventually` before; a machine with two noisy cores needs the rest.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores: more parallel files only make timings noisy.
    maxWorkers: 2,
  },
});
