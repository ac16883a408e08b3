import { asPreviewError, PreviewError } from '../errors.ts';
import type { ArtifactStore, StoredObject, StoredPart } from '../storage/artifactStore.ts';
import type { PlannedPart } from './plan.ts';

/** What a maker leaves: bytes, or an object that it stored itself because it is too large for memory. */
export type Made = ({ bytes: Buffer } | { object: StoredObject }) & { meta?: Record<string, unknown> };

/** That a part was made or found. Times are milliseconds since the epoch. */
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
}

export function createPartMaker(
  store: ArtifactStore,
  signal: AbortSignal,
  onPart: (part: PartReport) => void = () => undefined,
): PartMaker {
  const running = new Map<string, Promise<{ stored: StoredPart; reused: boolean }>>();

  const makeOrFind = async (kind: string, key: string, build: () => Promise<Made>) => {
    if (signal.aborted) throw new PreviewError('cancelled');
    const found = await store.getPart(key);
    if (found) return { stored: found, reused: true };
    const made = await build().catch((error: unknown) => rethrowWithin(error, kind));
    const object = 'object' in made ? made.object : await store.putObject(made.bytes);
    const stored = { ...object, ...(made.meta ? { meta: made.meta } : {}) };
    await store.putPart(key, stored);
    return { stored, reused: false };
  };

  const reportOn = async (kind: string, key: string, build: () => Promise<Made>) => {
    const startedAt = Date.now();
    const made = await makeOrFind(kind, key, build);
    onPart({ kind, key, reused: made.reused, startedAt, endedAt: Date.now() });
    return made;
  };

  return {
    make({ kind, key }, build) {
      const present = running.get(key) ?? reportOn(kind, key, build);
      running.set(key, present);
      return present;
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
