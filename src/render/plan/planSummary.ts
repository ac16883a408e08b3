import type { PlanSummary, Warning } from '../../job/jobRecord.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { findParts } from '../parts/findParts.ts';
import { secondsOf, type Timeline } from '../timeline/timeline.ts';
import type { Plan } from './plan.ts';
import { readRates } from './rates.ts';
import { moves } from './slideContent.ts';

/** The answer to a dry run: the timeline, which parts exist already, and how long the rest would take here. */
export async function summarizePlan(
  { plan, timeline, warnings }: { plan: Plan; timeline: Timeline; warnings: Warning[] },
  store: ArtifactStore,
): Promise<PlanSummary> {
  const planned = [
    ...plan.entries.map(({ segment }) => segment),
    ...(plan.soundtrack ? [plan.soundtrack] : []),
  ];
  const found = await findParts(
    planned.map(({ key }) => key),
    store.getPart,
  );
  const parts = planned.map(({ kind, key }, i) => ({ kind, key, reused: Boolean(found[i]) }));
  const estimate = await estimateRender(plan, timeline, parts, store);
  return {
    durationSeconds: timeline.totalFrames / timeline.fps,
    width: plan.video.width,
    height: plan.video.height,
    fps: plan.video.fps,
    timeline: stepsOf(timeline),
    parts,
    ...(estimate ? { estimate } : {}),
    warnings,
  };
}

/** When each step begins and ends. */
export function stepsOf(timeline: Timeline) {
  return timeline.entries
    .filter((entry) => entry.kind === 'step')
    .map((entry) => ({ id: entry.id, ...secondsOf(entry, timeline.fps) }));
}

/** From the rates of this machine; undefined before its first render. */
async function estimateRender(
  plan: Plan,
  timeline: Timeline,
  parts: PlanSummary['parts'],
  store: ArtifactStore,
): Promise<PlanSummary['estimate']> {
  const rates = await readRates(store);
  if (!rates) return undefined;
  const isMissing = (key: string): boolean => parts.some((part) => part.key === key && !part.reused);
  // How many pictures of each entry have to be encoded: its stills, or every frame of what moves.
  const pictures = plan.entries.map(({ segment, slides }) => {
    const { exit } = segment.content;
    const isMoving = moves(slides[0].content);
    const held = slides.reduce(
      (sum, { frames, still }) => sum + (isMoving ? frames : still.content.wordless ? 2 : 1),
      0,
    );
    return held + (exit && exit.type !== 'fade' ? exit.frames : 0);
  });
  const missing = pictures.filter((_, i) => isMissing(plan.entries[i]?.segment.key ?? ''));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const sound = plan.soundtrack && isMissing(plan.soundtrack.key) ? timeline.totalFrames / timeline.fps : 0;
  const seconds = Math.max(sum(missing) * rates.secondsPerPicture, sound * rates.secondsPerSoundSecond);
  return {
    seconds: Math.round(seconds * 100) / 100,
    bytes: Math.round(sum(pictures) * rates.bytesPerPicture),
  };
}
