import type { Stats } from 'node:fs';
import type { LookAt } from './lookAt.ts';

/** Reads JSON files that are replaced whole and never written to. */
export interface JsonMemory {
  /** The value in the file; undefined if there is no file, or no JSON in it. Callers must not change it. */
  read(path: string): Promise<unknown>;
}

/**
 * Does not read a file again that has not changed: looking at a file takes a quarter of the time of reading it.
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
      // Read after looking: if the file is replaced in between, the next look notices.
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

/** Replacing a file gives it a new identity. */
const isSame = (a: Stats, b: Stats): boolean =>
  a.ino === b.ino && a.mtimeMs === b.mtimeMs && a.size === b.size;
