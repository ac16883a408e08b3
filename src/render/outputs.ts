import type { Artifact } from '../job/jobRecord.ts';
import type { OutputName, PreviewJob } from '../job/previewJob.types.ts';
import type { StoredObject } from '../storage/artifactStore.ts';

/** Whether the job wants something; without a wish it gets everything but the teaser. */
export function wants({ previewRequest: { options } }: PreviewJob, output: OutputName): boolean {
  return options?.outputs ? options.outputs.includes(output) : output !== 'teaser';
}

export function artifact(name: string, mediaType: string, { bytes, sha256 }: StoredObject): Artifact {
  return { name, mediaType, bytes, sha256 };
}
