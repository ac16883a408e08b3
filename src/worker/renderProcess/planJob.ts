import type { PlanSummary } from '../../job/jobRecord.ts';
import { planWords } from '../../render/planWords.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { RenderControl, RenderPool } from './renderProcess.ts';
import type { RenderTask } from './renderProtocol.ts';

/** Says what a render would do: here where words alone decide, else in a render process, which looks at the media. */
export async function planJob(
  task: Omit<RenderTask, 'kind'>,
  { store, renderPool }: { store: ArtifactStore; renderPool: RenderPool },
  control: RenderControl,
): Promise<PlanSummary> {
  return (await planWords(task.job, store)) ?? renderPool.plan(task, control);
}
