import type { Stats } from 'node:fs';
import type { LookAt } from './lookAt.ts';

/** Reads JSON files that are replaced whole and never written to. */
export interface JsonMemory {
  /** The value in the file; undefined where there is no file, or no JSON in it. Whoever gets it leaves it as it is. */
  read(path: string): Promise<unknown>;
}

/**
 * One that has not changed since is not read again: a look at a file takes a quarter of the time of reading it.
 * @param readJson the value in a file, undefined where there is none
 * @param kept files that are remembered, those that were read last
 */
export function createJsonMemory(lookAt: LookAt, readJson: JsonMemory['read'], kept: number): JsonMemory {
  const known = new Map<string, { stats: Stats; value: unknown }>();
  return {
    async read(path) {
      const stats = await lookAt(path);
      const before = known.get(path);
      known.delete(path);
      if (!stats) return undefined;
      // Read after the look: where the file is replaced in between, the next look sees it.
      const value = before && isSame(before.stats, stats) ? before.value : await readJson(path);
      if (value === undefined) return undefined;
      known.set(path, { stats, value });
      for (const oldest of known.keys()) {
        if (known.size <= kept) break;
        known.delete(oldest);
      }
      return value;
    },
  };
}

/** Each time a file is replaced it is another file. */
const isSame = (a: Stats, b: Stats): boolean =>
  a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
