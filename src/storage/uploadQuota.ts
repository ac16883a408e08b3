import { PreviewError } from '../errors.ts';
import type { ArtifactStore, StoredObject } from './artifactStore.ts';

export interface UploadQuota {
  /**
   * Stores an upload if there is room for it, and notes which project it belongs to.
   * @param announcedBytes how long the sender says it is
   * @param put stores at most `maxBytes`. @throws PreviewError `asset_too_large`
   * @throws PreviewError `upload_quota_exceeded`; `asset_too_large` where it is larger than any upload may be
   */
  keep(
    projectId: string | undefined,
    announcedBytes: number | undefined,
    put: (maxBytes: number) => Promise<StoredObject>,
  ): Promise<StoredObject>;
  remove(projectId: string | undefined, sha256: string): Promise<boolean>;
}

/** How old a count may be while there is room. Before anybody is refused, it is counted again. */
const COUNT_MS = 10_000;

/**
 * Counts the uploads that are noted in the store, so that a crash loses nothing, and those that are being sent to this
 * process. Another process may take the same room at the same moment; its uploads may then exceed the quota.
 * @param options.quotaBytes of each project; 0: no limit
 */
export function createUploadQuota(options: {
  store: Pick<ArtifactStore, 'putUpload' | 'hasUpload' | 'removeUpload' | 'listUploads'>;
  quotaBytes: number;
  maxBytes: number;
}): UploadQuota {
  const { store, quotaBytes, maxBytes } = options;
  const counts = new Map<string | undefined, { bytes: number; at: number }>();
  const reserved = new Map<string | undefined, number>();

  const count = async (projectId: string | undefined, maxAgeMs: number): Promise<number> => {
    const known = counts.get(projectId);
    if (known && Date.now() - known.at < maxAgeMs) return known.bytes;
    const uploads = await store.listUploads(projectId);
    const bytes = uploads.reduce((sum, upload) => sum + upload.bytes, 0);
    counts.set(projectId, { bytes, at: Date.now() });
    return bytes;
  };
  const reserve = (projectId: string | undefined, bytes: number): void => {
    const sum = (reserved.get(projectId) ?? 0) + bytes;
    if (sum > 0) reserved.set(projectId, sum);
    else reserved.delete(projectId);
  };
  const roomAt = (counted: number, projectId: string | undefined): number =>
    Math.max(0, quotaBytes - counted - (reserved.get(projectId) ?? 0));
  const refusal = (room: number): PreviewError =>
    new PreviewError(
      'upload_quota_exceeded',
      `The uploads of this project may take ${quotaBytes} bytes in all, and ${room} are left; remove some ` +
        '(GET /api/assets lists them, DELETE /api/assets/:sha256 removes one), or have PREVIEW_UPLOAD_QUOTA_BYTES raised.',
    );

  return {
    async keep(projectId, announcedBytes, put) {
      if (quotaBytes === 0) {
        const object = await put(maxBytes);
        await store.putUpload(projectId, object);
        return object;
      }
      const wanted = Math.min(announcedBytes ?? 1, maxBytes);
      let room = roomAt(await count(projectId, COUNT_MS), projectId);
      if (room < wanted) room = roomAt(await count(projectId, 0), projectId);
      if (room < wanted) throw refusal(room);
      const most = Math.min(room, maxBytes);
      const taken = Math.min(announcedBytes ?? most, most);
      reserve(projectId, taken);
      try {
        const object = await put(most);
        const isNew = !(await store.hasUpload(projectId, object));
        await store.putUpload(projectId, object);
        const known = counts.get(projectId);
        if (isNew && known) known.bytes += object.bytes;
        return object;
      } catch (error) {
        const wasOurs = error instanceof PreviewError && error.code === 'asset_too_large' && most < maxBytes;
        throw wasOurs ? refusal(room) : error;
      } finally {
        reserve(projectId, -taken);
      }
    },
    async remove(projectId, sha256) {
      counts.delete(projectId);
      return store.removeUpload(projectId, sha256);
    },
  };
}
