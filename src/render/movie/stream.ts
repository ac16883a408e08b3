import { sha256Hex } from '../../job/sha256.ts';
import { timescaleOf, type VideoSettings } from '../../media/codecs.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { wants } from '../outputs.ts';
import type { Plan } from '../plan/plan.ts';
import type { Prepared } from '../plan/prepare.ts';
import type { Timeline } from '../timeline/timeline.ts';

/**
 * What is known of a preview before anything of it is made: enough to play it while it grows. Written to the store by
 * the render, so that any process that has the store can serve the stream. Keys are those of parts.
 */
export interface StreamPlan {
  video: VideoSettings;
  timescale: number;
  init: string;
  segments: { key: string; frames: number }[];
  soundtrack?: string;
}

export interface JobName {
  projectId: string;
  jobId: string;
}

/** Where the job wants a video that can be streamed, which is an MP4: notes what will be in it. */
export async function announceStream({ job, plan, timeline }: Prepared, store: ArtifactStore): Promise<void> {
  if (!wants(job, 'video') || plan.video.format !== 'mp4') return;
  const stream = Buffer.from(JSON.stringify(describeStream(plan, timeline)));
  await store.putPart(streamKey(job), await store.putObject(stream));
}

/** Undefined where the job's render has not begun, or makes no stream. */
export async function getStream(store: ArtifactStore, job: JobName): Promise<StreamPlan | undefined> {
  const part = await store.getPart(streamKey(job));
  return part && (JSON.parse(String(await store.readObject(part.sha256))) as StreamPlan);
}

function describeStream(plan: Plan, timeline: Timeline): StreamPlan {
  return {
    video: plan.video,
    timescale: timescaleOf(plan.video),
    init: plan.init.key,
    segments: timeline.entries.map(({ frames }, i) => ({ key: plan.entries[i]?.segment.key ?? '', frames })),
    ...(plan.soundtrack ? { soundtrack: plan.soundtrack.key } : {}),
  };
}

const streamKey = ({ projectId, jobId }: JobName): string =>
  sha256Hex(JSON.stringify(['stream', projectId, jobId]));
