import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { BUILT_MODULES, importBuilt } from './tests/support/built.ts';
import { MOST_WORKERS } from './tests/support/sharedRedis.ts';

/** Suites that wait for most of their time, for locks, pauses and processes: several run at a time, the longest first. */
const WAITING = [
  'tests/integration/queue/conformance/working.test.ts',
  'tests/security/hostileClients.test.ts',
  'tests/integration/queue/conformance/ends.test.ts',
  'tests/integration/webhooks/kills.test.ts',
  'tests/integration/worker/lostWorker.test.ts',
  'tests/worker/previewWorker.comprehensive.test.ts',
  'tests/integration/queue/failover.test.ts',
  'tests/integration/cli/stop.test.ts',
  'tests/integration/worker/deadLetters.test.ts',
  'tests/integration/webhooks/webhooks.test.ts',
  'tests/integration/webhooks/slowReceivers.test.ts',
  'tests/integration/webhooks/webhookSender.test.ts',
  'tests/integration/worker/queueWatch.test.ts',
  'tests/integration/queue/redisAway.test.ts',
  'tests/integration/worker/jobList.test.ts',
  'tests/integration/queue/outages.test.ts',
  'tests/integration/storeAway.test.ts',
  'tests/integration/deploy/prometheus.test.ts',
];

/** The longest of those that are at work all the time; the last one must not stand alone. */
const LONG = [
  'tests/integration/render/golden.test.ts',
  'tests/security/hostileFiles.test.ts',
  'tests/integration/cli/deadLetter.test.ts',
  'tests/integration/cli/commands.test.ts',
  'tests/integration/restart.test.ts',
  'tests/integration/scaleOut.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = [...WAITING, ...LONG].reverse();
    const rank = ({ moduleId }: TestSpecification) => order.findIndex((path) => moduleId.endsWith(path));
    return (await super.sort(files)).toSorted((one, other) => rank(other) - rank(one));
  }
}

const project = (
  name: string,
  groupOrder: number,
  maxWorkers: number,
  files: { include: string[]; exclude?: string[] },
) => ({
  plugins: [importBuilt],
  test: {
    name,
    pool: 'forks' as const,
    // Files of a process share what they load: to load it takes as long as most of them run. None of them mocks a module.
    isolate: false,
    maxWorkers,
    sequence: { groupOrder },
    server: { deps: { external: [BUILT_MODULES] } },
    // What hangs is told by `eventually` before; a machine with two noisy cores needs the rest.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    ...files,
  },
});

export default defineConfig({
  test: {
    globalSetup: ['tests/support/built.ts', 'tests/support/leakScan.ts', 'tests/support/sharedRedis.ts'],
    sequence: { sequencer: LongestFirst },
    // One after the other: what is at work all the time has a core for itself.
    projects: [
      project('unit', 0, 2, { include: ['tests/unit/**/*.test.ts'] }),
      project('waiting', 1, MOST_WORKERS, { include: WAITING }),
      project('integration', 2, 2, {
        include: ['tests/integration/**/*.test.ts', 'tests/security/**/*.test.ts'],
        exclude: WAITING,
      }),
    ],
  },
});
