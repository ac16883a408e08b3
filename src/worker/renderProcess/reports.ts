import type { Progress } from '../../job/jobRecord.ts';
import type { PartReport } from '../../render/parts/partMaker.ts';
import type { Reports } from './renderProtocol.ts';

/** Within this time it is told once how far a render is; a preview of which much is reused has 190 reports in a moment. */
const COLLECT_MS = 10;

/**
 * Collects what a render reports, and tells it together: the first report at once, then at most one message in
 * {@link COLLECT_MS}. A message to another process takes longer than most of what it tells of.
 */
export function collectReports(tell: (reports: Reports) => void) {
  let progress: Progress | undefined;
  let parts: PartReport[] = [];
  let told = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (!progress && parts.length === 0) return;
    told = performance.now();
    tell({ type: 'reports', ...(progress ? { progress } : {}), parts });
    progress = undefined;
    parts = [];
  };
  const soon = (): void => {
    const early = COLLECT_MS - (performance.now() - told);
    if (early <= 0) flush();
    else timer ??= setTimeout(flush, early);
  };

  return {
    progress(report: Progress): void {
      progress = report;
      soon();
    },
    part(report: PartReport): void {
      parts.push(report);
      soon();
    },
    flush,
  };
}
