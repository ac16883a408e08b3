/**
 * The operator's drill: real processes on this machine, a real Prometheus with the rules and the dashboards' queries,
 * and six kinds of trouble, one after the other. Prints what was done, what the alert said, what the panels showed and
 * what was typed; docs/runbook.md has a run of it. Needs redis-server, prometheus, curl and a Linux with root (the full
 * disk is a small one that is mounted). Ends what it started, by pid.
 *
 *     npm run drill [-- --only keysRotate,diskFills]
 */
import { parseArgs } from 'node:util';
import {
  diskFills,
  keysRotate,
  poisonArrives,
  queueFills,
  redisRestarts,
  start,
  workerDies,
} from './drill/acts.ts';
import { openStage } from './drill/stage.ts';

const ACTS = {
  workerDies: ['A worker dies', workerDies],
  redisRestarts: ['Redis restarts', redisRestarts],
  queueFills: ['The queue fills', queueFills],
  poisonArrives: ['A poison job arrives', poisonArrives],
  diskFills: ['The disk fills', diskFills],
  keysRotate: ['Keys rotate', keysRotate],
} as const;
type Act = keyof typeof ACTS;

const { values } = parseArgs({
  options: { only: { type: 'string', default: Object.keys(ACTS).join(',') } },
});
const stage = await openStage();
try {
  await start(stage);
  for (const name of values.only.split(',') as Act[]) {
    const [title, play] = ACTS[name];
    console.log(`\n### ${title}`);
    await play(stage);
  }
} finally {
  await stage.stop();
}
