import type { PreviewJob } from './previewJob.types.ts';

/** The digests of stored objects that a job names. What something else put into the queue may be anything. */
export function assetDigests(job: unknown): string[] {
  const { previewRequest } = (job ?? {}) as Partial<PreviewJob>;
  const assets = Array.isArray(previewRequest?.assets) ? previewRequest.assets : [];
  return assets.flatMap(({ upload, sha256 }) => [upload, sha256]).filter((digest) => digest !== undefined);
}
