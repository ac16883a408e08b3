/**
 * Loaded into each process of the fleet by `--import`: while the file of the query `flag` is there, whatever a process
 * wants to have on the disk for sure takes half a second longer. A disk that is overloaded looks like this.
 */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SYNC_MS = 500;

// Render processes inherit the arguments of their worker, and nothing of its environment.
const flag = new URL(import.meta.url).searchParams.get('flag');
const file = await open(fileURLToPath(import.meta.url));
const handles = Object.getPrototypeOf(file);
await file.close();
const { sync } = handles;
handles.sync = async function slowSync() {
  if (flag && existsSync(flag)) await wait(SYNC_MS);
  return sync.call(this);
};
