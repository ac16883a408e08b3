import { type AssetSources, loadAssets } from '../../assets/resolveAssets.ts';
import { createSemaphore } from '../../concurrency/semaphore.ts';
import type { PlanSummary } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { RenderPool } from './renderProcess.ts';

/** Says what a render would do, at once and without the queue. */
export type Planner = (job: PreviewJob, signal: AbortSignal) => Promise<PlanSummary>;

/** Each plan takes a process of its own while it is made; more wait for their turn. */
const AT_ONCE = 2;
const DEADLINE_MS = 60_000;

/**
 * Assets that are named by URL are fetched into the store, where the render finds them again: by the digest that the job
 * gives, or because their servers say that they have not changed.
 */
export function createPlanner(options: {
  store: ArtifactStore;
  renderPool: RenderPool;
  assets: Pick<AssetSources, 'fetcher' | 'maxBytes'>;
}): Planner {
  const { store, renderPool, assets: sources } = options;
  const inTurn = createSemaphore(AT_ONCE);
  return (job, asked) =>
    inTurn(async () => {
      const signal = AbortSignal.any([asked, AbortSignal.timeout(DEADLINE_MS)]);
      const assets = await loadAssets(job, { store, signal, ...sources });
      const control = { signal, onProgress: () => undefined };
      return renderPool.plan({ job, assets }, control);
    });
}
