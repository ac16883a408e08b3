import { asPreviewError, PreviewError } from '../../errors.ts';
import type { ArtifactStore, StoredObject, StoredPart } from '../../storage/artifactStore.ts';
import { digestOf } from '../../storage/storeRules.ts';
import type { PlannedPart } from './part.ts';

/** What a maker leaves: bytes, or an object that it stored itself because it is too large for memory. */
export type Made = MadeBytes | (Meta & { object: StoredObject });
export type MadeBytes = Meta & { bytes: Buffer };
type Meta = { meta?: Record<string, unknown> };

/** Tells that a part was made or found. Times are milliseconds since the epoch. */
export interface PartReport {
  kind: string;
  key: string;
  reused: boolean;
  startedAt: number;
  endedAt: number;
}

export interface PartMaker {
  /** Answers the part from the store, or makes it; the same part is never made twice at once in one render. */
  make<Content>(
    planned: PlannedPart<Content>,
    build: () => Promise<Made>,
  ): Promise<{ stored: StoredPart; reused: boolean }>;
  /** The bytes of a part as soon as they are there; what was made is stored meanwhile, see {@link PartMaker.settled}. */
  bytes<Content>(planned: PlannedPart<Content>, build: () => Promise<MadeBytes>): Promise<Buffer>;
  /** The part that this render has made or found, or one that is in the store. */
  find(key: string): Promise<StoredPart | undefined>;
  /** Waits until everything that was begun is stored. @throws what the first failure was */
  settled(): Promise<void>;
  /** Waits until nothing is being made any more, however it ended. */
  quiet(): Promise<void>;
}

export function createPartMaker(
  store: ArtifactStore,
  signal: AbortSignal,
  onPart: (part: PartReport) => void = () => undefined,
): PartMaker {
  const running = new Map<string, Promise<{ stored: StoredPart; reused: boolean }>>();
  const unstored = new Map<string, Promise<Buffer>>();

  const unlessGivenUp = (): void => {
    if (signal.aborted) throw new PreviewError('cancelled');
  };

  const makeOrFind = async (kind: string, key: string, build: () => Promise<Made>) => {
    unlessGivenUp();
    const found = await store.getPart(key);
    if (found) return { stored: found, reused: true };
    unlessGivenUp();
    const made = await build().catch((error: unknown) => rethrowWithin(error, kind));
    unlessGivenUp();
    return { stored: await keep(key, made), reused: false };
  };

  const keep = async (key: string, made: Made): Promise<StoredPart> => {
    const meta = made.meta ? { meta: made.meta } : {};
    if ('object' in made) {
      const stored = { ...made.object, ...meta };
      await store.putPart(key, stored);
      return stored;
    }
    // Side by side: a part whose object is not there is none.
    const stored = { sha256: digestOf(made.bytes), bytes: made.bytes.length, ...meta };
    const kept = await Promise.allSettled([store.putObject(made.bytes), store.putPart(key, stored)]);
    for (const outcome of kept) if (outcome.status === 'rejected') throw outcome.reason;
    return stored;
  };

  const reportOn = async (kind: string, key: string, build: () => Promise<Made>) => {
    const startedAt = Date.now();
    const made = await makeOrFind(kind, key, build);
    onPart({ kind, key, reused: made.reused, startedAt, endedAt: Date.now() });
    return made;
  };

  const make: PartMaker['make'] = ({ kind, key }, build) => {
    const present = running.get(key) ?? reportOn(kind, key, build);
    running.set(key, present);
    return present;
  };

  return {
    make,
    bytes(planned, build) {
      const { key } = planned;
      const present = unstored.get(key);
      if (present) return present;
      let tell: (bytes: Buffer) => void = () => undefined;
      let made: Buffer | undefined;
      const early = new Promise<Buffer>((resolve) => {
        tell = resolve;
      });
      const stored = make(planned, async () => {
        const part = await build();
        made = part.bytes;
        tell(made);
        return part;
      }).then(({ stored: { sha256 } }) => made ?? store.readObject(sha256));
      const bytes = Promise.race([early, stored]);
      unstored.set(key, bytes);
      const forget = (): unknown => unstored.delete(key);
      stored.then(forget, forget);
      return bytes;
    },
    find: async (key) => (await running.get(key))?.stored ?? store.getPart(key),
    async settled() {
      await Promise.all(running.values());
    },
    async quiet() {
      for (let known = 0; known < running.size; ) {
        known = running.size;
        await Promise.allSettled(running.values());
      }
    },
  };
}

/** Says in the error which kind of part was being made; the innermost part knows best. */
function rethrowWithin(thrown: unknown, part: string): never {
  const error = asPreviewError(thrown, 'render_failed');
  if (error.place?.part !== undefined) throw error;
  const { code, message, errors, cause } = error;
  throw new PreviewError(code, message, {
    cause: cause ?? error,
    place: { ...error.place, part },
    ...(errors ? { errors } : {}),
  });
}
