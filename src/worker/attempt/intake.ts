import { settlesWithin } from '../../concurrency/settlesWithin.ts';
import { singleFlight } from '../../concurrency/sharedCalls.ts';
import { asPreviewError, PreviewError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { QueueBackend } from '../../queue/queueBackend.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';

/** Jobs are taken only while store and queue can be used: every job needs both, and none can help their absence. */
export interface Intake {
  /** Looks, unless all was well a moment ago. @throws PreviewError `store_unavailable`, `queue_unavailable` */
  check(): Promise<void>;
  /** Looks now. @returns what cannot be used; undefined where all is well */
  look(): Promise<PreviewError | undefined>;
  close(): void;
}

/** While all was well so long ago, an attempt begins without another look. */
const WELL_MS = 1000;
/** How often it is looked while something cannot be used. */
const LOOK_MS = 1000;
/** What does not answer for so long cannot be used. */
const LONGEST_LOOK_MS = 5000;

/**
 * @param options.onClosed is called when something can no longer be used, and `onOpened` when all of it can be used again;
 *   each is logged once
 */
export function createIntake(options: {
  store: Pick<ArtifactStore, 'check'>;
  backend: Pick<QueueBackend, 'ping'>;
  logger: Logger;
  onClosed(): void;
  onOpened(): void;
}): Intake {
  const { store, backend, logger } = options;
  let trouble: PreviewError | undefined;
  let wellAt = Number.NEGATIVE_INFINITY;
  let again: NodeJS.Timeout | undefined;
  let isOver = false;

  const find = async (): Promise<PreviewError | undefined> => {
    try {
      const looks = Promise.all([store.check(), backend.ping()]);
      if (await settlesWithin(looks, LONGEST_LOOK_MS)) return undefined;
      return new PreviewError('store_unavailable', 'The store does not answer.');
    } catch (error) {
      return asPreviewError(error, 'store_unavailable');
    }
  };
  const lookNow = async (): Promise<PreviewError | undefined> => {
    const before = trouble;
    trouble = await find();
    if (isOver) return trouble;
    clearTimeout(again);
    if (trouble) again = setTimeout(look, LOOK_MS).unref();
    else wellAt = performance.now();
    if (trouble && !before) {
      logger.error({ err: trouble }, 'no job is taken until store and queue can be used');
      options.onClosed();
    }
    if (!trouble && before) {
      logger.info('store and queue can be used again, jobs are taken');
      options.onOpened();
    }
    return trouble;
  };
  const look = singleFlight(lookNow);

  return {
    look,
    async check() {
      if (!trouble && performance.now() - wellAt < WELL_MS) return;
      const found = await look();
      if (found) throw found;
    },
    close() {
      isOver = true;
      clearTimeout(again);
    },
  };
}
