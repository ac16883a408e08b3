import { sha256Hex } from '../../job/sha256.ts';
import { timescaleOf, type VideoSettings } from '../../media/codecs.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import type { Plan } from '../plan/plan.ts';
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

export function describeStream(plan: Plan, timeline: Timeline): StreamPlan {
  return {
    video: plan.video,
    timescale: timescaleOf(plan.video),
    init: plan.init.key,
    segments: timeline.entries.map(({ frames }, i) => ({ key: plan.entries[i]?.segment.key ?? '', frames })),
    ...(plan.soundtrack ? { soundtrack: plan.soundtrack.key } : {}),
  };
}

export interface JobName {
  projectId: string;
  jobId: string;
}

export async function putStream(store: ArtifactStore, job: JobName, stream: StreamPlan): Promise<void> {
  await store.putPart(streamKey(job), await store.putObject(Buffer.from(JSON.stringify(stream))));
}

/** Undefined where the job's render has not begun, or makes no stream. */
export async function getStream(store: ArtifactStore, job: JobName): Promise<StreamPlan | undefined> {
  const part = await store.getPart(streamKey(job));
  return part && (JSON.parse(String(await store.readObject(part.sha256))) as StreamPlan);
}

const streamKey = ({ projectId, jobId }: JobName): string =>
  sha256Hex(JSON.stringify(['stream', projectId, jobId]));
