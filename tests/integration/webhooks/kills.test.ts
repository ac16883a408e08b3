import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { placeDatabase } from '../../support/placeDatabase.ts';
import { processFile } from '../../support/processes.ts';
import { anyBackend, type QueueBackendName, startQueueBackend } from '../../support/queueBackends.ts';
import { startWebhookReceiver, type WebhookReceiver } from '../../support/webhookReceiver.ts';

const PROCESS = processFile('webhookProcess');

type Moment = 'before' | 'between' | 'after' | 'never';

const MOMENTS = ['before', 'between', 'after'] as const;
/** On the embedded queue, which costs a process as much as all else that it does, one of them. */
const QUEUES: { name: QueueBackendName; moments: readonly Moment[] }[] = [
  { name: anyBackend, moments: MOMENTS },
  ...(anyBackend === 'embedded' ? [] : [{ name: 'embedded' as const, moments: ['between' as const] }]),
];

describe.each(QUEUES)('a webhook on the $name queue', ({ name, moments }) => {
  let queue: Awaited<ReturnType<typeof startQueueBackend>>;
  let dataDir: string;
  let receiver: WebhookReceiver;
  let processes: ChildProcess[] = [];
  /** Called with each message before it is answered. */
  let onMessage: (count: number) => void;

  beforeEach(async () => {
    queue = await startQueueBackend(name);
    dataDir = await mkdtemp(join(tmpdir(), 'preview-webhooks-'));
    if (!queue.url) await placeDatabase(dataDir);
    onMessage = () => undefined;
    receiver = await startWebhookReceiver((_, response) => {
      onMessage(receiver.received.length);
      response.writeHead(204).end();
    });
  });

  afterEach(async () => {
    for (const process of processes) {
      process.kill('SIGKILL');
      await exitOf(process);
    }
    processes = [];
    await receiver.close();
    await queue.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const run = (moment: Moment): ChildProcess => {
    const process = fork(PROCESS, [queue.url ?? '-', dataDir, `${receiver.url}/hook`, moment]);
    processes.push(process);
    return process;
  };

  test.each(moments)('arrives although the worker is killed %s', { timeout: 60_000 }, async (moment) => {
    expect(await exitOf(run(moment))).toBe('SIGKILL');
    const settled = once(run('never'), 'message');
    const messages = await receiver.got('/hook', 1, 40);
    expect(JSON.parse(messages[0]?.body ?? '')).toMatchObject({
      type: 'preview.completed',
      data: { jobId: 'told' },
    });
    await settled;
    expect(receiver.received).toHaveLength(1);
  });

  test.runIf(name === anyBackend)(
    'arrives again, with the same id and body, where the worker is killed before it is answered',
    { timeout: 60_000 },
    async () => {
      const first = run('never');
      onMessage = (count) => {
        if (count === 1) first.kill('SIGKILL');
      };
      expect(await exitOf(first)).toBe('SIGKILL');
      run('never');
      const [one, two] = await receiver.got('/hook', 2, 50);
      expect(two?.headers['webhook-id']).toBe(one?.headers['webhook-id']);
      expect(two?.body).toBe(one?.body);
    },
  );
});

/** The signal that ended it. */
function exitOf(child: ChildProcess): Promise<NodeJS.Signals | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.signalCode);
  return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
}
