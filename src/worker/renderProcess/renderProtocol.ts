import type { LoadedAsset } from '../../assets/resolveAssets.ts';
import type { ErrorCode, FailurePlace, InputError } from '../../errors.ts';
import type { PlanSummary, Progress } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { PartReport } from '../../render/parts/partMaker.ts';
import type { RenderResult } from '../../render/renderPreview.ts';
import type { StoreCall } from './storeChannel.ts';

/** What the worker asks of its render child, over the IPC channel; one task at a time. */
export type RenderTask = { job: PreviewJob; assets: readonly LoadedAsset[] } & (
  | { kind: 'render' }
  | { kind: 'plan' }
);

/** How far a render is, and the parts that were made or found since it said so last. */
export interface Reports {
  type: 'reports';
  progress?: Progress;
  parts: PartReport[];
}

/** That the task is not wanted any more: the child answers soon that it has failed, as `cancelled`, and is kept. */
export interface StopOrder {
  kind: 'stop';
}

/** What the child answers. */
export type RenderAnswer =
  | StoreCall
  | { type: 'ready' }
  | Reports
  | { type: 'rendered'; result: RenderResult }
  | { type: 'planned'; plan: PlanSummary }
  | {
      type: 'failed';
      code: ErrorCode;
      message: string;
      errors?: readonly InputError[];
      place?: FailurePlace;
      detail: string;
    };
