import type { PreviewJob } from './previewJob.types.ts';

/** The digests of stored objects that a job names. Other programs may have put anything into the queue. */
export function assetDigests(job: unknown): string[] {
  const { previewRequest } = (job ?? {}) as Partial<PreviewJob>;
  const assets = Array.isArray(previewRequest?.assets) ? previewRequest.assets : [];
  return assets.flatMap(({ upload, sha256 }) => [upload, sha256]).filter((digest) => digest !== undefined);
}
