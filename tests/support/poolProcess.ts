/** A render pool in a process of its own, which tells the pid of its child: `poolProcess.ts <store folder>`. */
import { createRenderPool } from '../../src/worker/renderProcess/renderProcess.ts';
import { fakeRenders, toldJob } from './queueWorld.ts';

const pool = createRenderPool(process.argv[2] ?? '', fakeRenders());
const { signal } = new AbortController();
const task = { job: toldJob('parent', ['pid']), assets: [] };
const { timings } = await pool.render(task, { signal, onProgress: () => undefined });
// The child that is told to spin hears of nothing any more.
const spin = { job: toldJob('spin', ['spin']), assets: [] };
void pool.render(spin, { signal, onProgress: () => undefined });
process.send?.(timings.assets);
