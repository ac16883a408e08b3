/**
 * A render child that does what the job tells it to, to see what the worker makes of it. Each attempt takes the next
 * word of `metadata.attempts`; how many were begun is a file in the store's folder, as it must outlive this process.
 */
import { appendFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { endWithParent } from '../../src/worker/renderProcess/endWithParent.ts';
import type { RenderAnswer, RenderTask, StopOrder } from '../../src/worker/renderProcess/renderProtocol.ts';

const [storeFolder = ''] = process.argv.slice(2);
const answer = (message: RenderAnswer): void => {
  if (process.connected) process.send?.(message);
};
const result = {
  artifacts: [{ name: 'preview.mp4', mediaType: 'video/mp4', bytes: 1, sha256: 'a'.repeat(64) }],
  warnings: [],
  timings: {},
  segments: { total: 1, reused: 0 },
  cpuSeconds: 0.5,
};
const plan = {
  ...{ durationSeconds: 3, width: 320, height: 180, fps: 30, timeline: [], warnings: [] },
  parts: [{ kind: 'segment', key: 'b'.repeat(64), reused: false }],
};

endWithParent();
let isPatient = false;
process.on('message', (task: RenderTask | StopOrder) => {
  if (task.kind === 'stop') {
    if (isPatient) answer({ type: 'failed', code: 'cancelled', message: 'It was stopped.', detail: '' });
    isPatient = false;
    return;
  }
  const { kind, job } = task;
  const done = (): void => answer(kind === 'plan' ? { type: 'planned', plan } : { type: 'rendered', result });
  const begun = join(storeFolder, `begun-${job.projectId}-${job.jobId}`);
  appendFileSync(begun, '.');
  const attempts = (job.previewRequest.metadata?.attempts ?? []) as string[];
  switch (attempts[statSync(begun).size - 1] ?? 'done') {
    case 'fail':
      return answer({ type: 'failed', code: 'render_failed', message: 'As it was told.', detail: '' });
    case 'corrupt':
      return answer({ type: 'failed', code: 'asset_corrupt', message: 'The picture is broken.', detail: '' });
    case 'complain':
      return void process.stderr.write('libpicture: this is odd\n', done);
    case 'crash':
      return process.exit(3);
    case 'environment': {
      const message = Object.keys(process.env).sort().join();
      return answer({ type: 'failed', code: 'asset_corrupt', message, detail: '' });
    }
    case 'pid':
      return answer({ type: 'rendered', result: { ...result, timings: { assets: process.pid } } });
    case 'half':
      return answer({ type: 'reports', progress: { percent: 50, stage: 'segments' }, parts: [] });
    // Its test says when, by a file in the store's folder.
    case 'until told': {
      const told = setInterval(() => {
        if (!existsSync(join(storeFolder, `go-${job.projectId}-${job.jobId}`))) return;
        clearInterval(told);
        done();
      }, 20);
      return;
    }
    case 'until stopped':
      isPatient = true;
      return;
    case 'slow':
      return void setTimeout(done, 1000);
    // As native code does: nothing but a signal gets through. It ends when the test has killed its worker, and nobody else can.
    case 'spin': {
      const parent = process.ppid;
      const nothing = new Int32Array(new SharedArrayBuffer(4));
      while (process.ppid === parent) Atomics.wait(nothing, 0, 0, 100);
      return process.exit();
    }
    default:
      return done();
  }
});
answer({ type: 'ready' });
