/** A render child that tries what it is told to by `metadata.attempts`, and says in its error's message what came of it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';

const [store] = process.argv.slice(2);
const held = [];

const tries = {
  environment: () => ({ ...process.env, cwd: process.cwd() }),
  limits: () => readFileSync('/proc/self/limits', 'utf8'),
  status: () => readFileSync('/proc/self/status', 'utf8'),
  read: (path) => readFileSync(path, 'latin1').length,
  list: (path) => readdirSync(path).length,
  write: (path) => writeFileSync(path, 'x'),
  store: () => {
    writeFileSync(`${store}/objects/tried`, 'x');
    return readFileSync(`${store}/objects/tried`, 'utf8');
  },
  start: () => spawnSync('/bin/true').error?.code ?? 'started',
  connect: (port) =>
    new Promise((resolve) =>
      connect(Number(port), '127.0.0.1')
        .on('connect', () => resolve('connected'))
        .on('error', ({ code }) => resolve(code)),
    ),
  signal: (pid) => process.kill(Number(pid), 0),
  hold: async (megabytes) => {
    for (let i = 0; i < Number(megabytes); i += 16) {
      held.push(Buffer.alloc(16 * 1024 ** 2, 1));
      await new Promise(setImmediate);
    }
  },
  holdAtOnce: (megabytes) => held.push(Buffer.alloc(Number(megabytes) * 1024 ** 2, 1)).length,
  spin: () => {
    for (;;);
  },
};

process.on('message', async ({ job }) => {
  const [name, ...args] = job.previewRequest.metadata.attempts;
  let message;
  try {
    message = JSON.stringify((await tries[name](...args)) ?? 'done');
  } catch (error) {
    message = JSON.stringify(error.code ?? error.message);
  }
  process.send({ type: 'failed', code: 'asset_corrupt', message, detail: '' });
});
process.on('disconnect', () => process.exit(0));
process.send({ type: 'ready' });
