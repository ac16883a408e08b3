import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../../../src/logger.ts';
import { openQueueBackend } from '../../../src/queue/queueBackend.ts';
import { processFile } from '../../support/processes.ts';

it('takes a job up at once whose process was killed under its lock', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'preview-locks-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true, maxRetries: 10 }));
  const first = spawn(process.execPath, [processFile('takeAndHang'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void first.kill('SIGKILL'));
  await once(first.stdout, 'data');
  first.kill('SIGKILL');
  await once(first, 'exit');

  const backend = await openQueueBackend({ dataDir, logger: createLogger('silent') });
  onTestFinished(() => backend.close());
  const taken = new Promise((resolve) => {
    const worker = backend.worker('preview', async () => resolve(true), {
      lockDuration: 10_000,
      stalledInterval: 200,
      maxStalledCount: 5,
    });
    onTestFinished(() => worker.close());
  });
  expect(await taken).toBe(true);
}, 60_000);
