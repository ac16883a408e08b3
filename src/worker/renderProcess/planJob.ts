import type { PlanSummary } from '../../job/jobRecord.ts';
import type { RenderControl, RenderPool } from './renderProcess.ts';
import type { RenderTask } from './renderProtocol.ts';

/** Says what a render would do; a render process looks at the media. */
export const planJob = (
  task: Omit<RenderTask, 'kind'>,
  { renderPool }: { renderPool: RenderPool },
  control: RenderControl,
): Promise<PlanSummary> => renderPool.plan(task, control);
