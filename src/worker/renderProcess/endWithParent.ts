import { Worker } from 'node:worker_threads';

const CHECK_MS = 1000;

/**
 * Ends this process when its parent is gone. Losing the IPC channel tells, but a thread that is inside of native code does
 * not hear of it; so a thread of its own looks each second who the parent is. An orphan gets another one (getppid(2)).
 */
export function endWithParent(): void {
  process.once('disconnect', () => process.exit(0));
  const watch = `
    const { workerData } = require('node:worker_threads');
    setInterval(() => {
      if (process.ppid !== workerData.parent) process.kill(process.pid, 'SIGKILL');
    }, workerData.everyMs);
  `;
  const workerData = { parent: process.ppid, everyMs: CHECK_MS };
  new Worker(watch, { eval: true, workerData, execArgv: [], stdout: true, stderr: true }).unref();
}
