import type { ArtifactStore } from './artifactStore.ts';
import type { S3Place } from './bucket/s3Store.ts';
import { createFsStore } from './folder/fsStore.ts';

/** Opens the store in the bucket of `s3`, or in `folder`. @throws PreviewError `store_unavailable` */
export async function openStore(place: { s3?: S3Place | undefined; folder: string }): Promise<ArtifactStore> {
  if (!place.s3) return createFsStore(place.folder);
  // A store in a folder does not load the SDK.
  const { createS3Store } = await import('./bucket/s3Store.ts');
  return createS3Store(place.s3);
}
