import { availableParallelism } from 'node:os';

/**
 * Pictures, and segments of them, at work at the same time: one more than there are cores, because each waits now and then.
 * libuv gives them four threads, so that many cores make no use of many more, which need memory all the same: 65 at 1920x1080
 * were too much for a render process, eight at 3840x2160 took 0.9 GB.
 */
export const PICTURES_AT_ONCE = Math.min(availableParallelism() + 1, 8);
