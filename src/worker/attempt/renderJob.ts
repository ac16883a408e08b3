import { type AssetSources, loadAssets } from '../../assets/resolveAssets.ts';
import { PreviewError } from '../../errors.ts';
import type { JobRecord } from '../../job/jobRecord.ts';
import type { PreviewJob } from '../../job/previewJob.types.ts';
import type { Logger } from '../../logger.ts';
import type { PartReport } from '../../render/parts/partMaker.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { inSpan, type Span } from '../../tracing.ts';
import type { PreviewMetrics } from '../previewMetrics.ts';
import type { RenderControl, RenderPool } from '../renderProcess/renderProcess.ts';

/** What a completed job leaves in its record. */
export type Outcome = Pick<JobRecord, 'artifacts' | 'warnings'> &
  Partial<Pick<JobRecord, 'plan' | 'timings'>>;

/** What a job is: bring its assets in, plan or render it. @throws PreviewError, or the reason of `control.signal` */
export async function renderJob(
  job: PreviewJob,
  parts: {
    store: ArtifactStore;
    renderPool: RenderPool;
    assets: Pick<AssetSources, 'fetcher' | 'maxBytes' | 'turns' | 'formats'>;
    metrics: PreviewMetrics;
    logger: Logger;
  },
  control: Pick<RenderControl, 'signal' | 'onProgress' | 'onPart'>,
  span: Span,
): Promise<Outcome> {
  const { store, renderPool, metrics, logger } = parts;
  const { signal } = control;
  const reporting: RenderControl = { ...control, ...reports(logger) };
  const assets = await inSpan(span, 'assets', () => loadAssets(job, { store, signal, ...parts.assets }));
  if (job.dryRun) {
    const plan = await inSpan(span, 'plan', () => renderPool.plan({ job, assets }, reporting));
    return { artifacts: [], warnings: plan.warnings, plan };
  }
  const result = await inSpan(span, 'render', (render) => {
    const onPart = (part: PartReport): void => {
      control.onPart?.(part);
      reporting.onPart?.(part);
      tracePart(render, part);
    };
    return renderPool.render({ job, assets }, { ...reporting, onPart }).catch(retryWhereCollected);
  });
  const { artifacts, warnings, timings, segments, cpuSeconds, firstSegmentSeconds } = result;
  metrics.segmentsTotal.inc({ result: 'reused' }, segments.reused);
  metrics.segmentsTotal.inc({ result: 'rendered' }, segments.total - segments.reused);
  metrics.renderCpu.inc(cpuSeconds);
  if (firstSegmentSeconds !== undefined) metrics.firstSegment.observe(firstSegmentSeconds);
  return { artifacts, warnings, timings };
}

/** The child told when it worked on the part; the clock is the same. */
function tracePart(render: Span, { kind, key, reused, startedAt, endedAt }: PartReport): void {
  const attributes = { 'preview.part.key': key, 'preview.part.reused': reused };
  render.child(`part ${kind}`, { at: startedAt, attributes }).end({ at: endedAt });
}

/** What the render child has to say becomes lines of its job. */
function reports(logger: Logger): Pick<RenderControl, 'onPart' | 'onComplaint'> {
  return {
    onPart: ({ kind, key, reused, startedAt, endedAt }) =>
      logger.debug({ part: kind, key, reused, ms: endedAt - startedAt }, reused ? 'part found' : 'part made'),
    onComplaint: (line) => logger.warn({ source: 'render child' }, line),
  };
}

/** A part that was garbage collected in the moment between being found and being read: another attempt makes it. */
function retryWhereCollected(error: unknown): never {
  if (!(error instanceof PreviewError) || error.code !== 'artifact_not_found') throw error;
  throw new PreviewError('render_failed', error.message, { cause: error, place: error.place });
}
