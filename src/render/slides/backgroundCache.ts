import type { Background } from './background.ts';

/**
 * Photos as they fill their frame, kept for the next slide that shows the same one: a photo that several steps show is
 * decoded once, and of a step whose words are being edited not at all.
 */
export interface BackgroundCache {
  /** The background of that key. Others have it too, so whoever paints on it paints on a copy. */
  get(key: string, paint: () => Promise<Background>): Promise<Background>;
}

interface Entry {
  background: Promise<Background>;
  /** 0 until it is painted. */
  bytes: number;
}

/** Room for decoded photos: twenty-four at 1280x720, ten at 1920x1080. */
const MAX_BYTES = 32 << 20;

/** @param maxBytes of pictures that are kept; the least recently used go first */
export function createBackgroundCache(maxBytes = MAX_BYTES): BackgroundCache {
  const entries = new Map<string, Entry>();
  let bytes = 0;
  const forget = (key: string, entry: Entry): void => {
    if (entries.get(key) !== entry) return;
    entries.delete(key);
    bytes -= entry.bytes;
  };
  const paintAndKeep = (key: string, paint: () => Promise<Background>): Entry => {
    const entry: Entry = { background: paint(), bytes: 0 };
    entries.set(key, entry);
    entry.background.then(
      ({ picture }) => {
        if (entries.get(key) !== entry) return;
        entry.bytes = picture.data.length;
        bytes += entry.bytes;
        for (const [oldKey, old] of entries) {
          if (bytes <= maxBytes) break;
          forget(oldKey, old);
        }
      },
      () => forget(key, entry),
    );
    return entry;
  };
  return {
    get(key, paint) {
      const known = entries.get(key);
      if (!known) return paintAndKeep(key, paint).background;
      entries.delete(key);
      entries.set(key, known);
      return known.background;
    },
  };
}
