import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const read = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const record = (jobId: string, more: Partial<JobRecord> = {}): JobRecord => ({
  projectId: 'p',
  jobId,
  requestId: 'r',
  fingerprint: 'f',
  status: 'completed',
  dryRun: false,
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  attemptsMade: 1,
  warnings: [],
  artifacts: [],
  ...more,
});

/** What every store promises. `open` gives an empty one and how to remove it. */
export function storeSuite(
  name: string,
  open: () => Promise<{ store: ArtifactStore; remove(): Promise<void> }>,
): void {
  describe(`the ${name} store`, () => {
    let store: ArtifactStore;
    let remove: () => Promise<void>;
    beforeEach(async () => {
      ({ store, remove } = await open());
    });
    afterEach(() => remove());

    it('keeps bytes under their digest, from a buffer and from a stream', async () => {
      const stored = await store.putObject(Buffer.from('hello'));
      expect(stored).toEqual({ sha256: digest('hello'), bytes: 5 });
      const streamed = await store.putObject(
        (async function* () {
          yield Buffer.from('wor');
          yield Buffer.from('ld');
        })(),
      );
      expect(streamed.sha256).toBe(digest('world'));
      expect((await store.readObject(stored.sha256)).toString()).toBe('hello');
      expect(await read(await store.openObject(streamed.sha256, { start: 1, end: 3 }))).toBe('orl');
      expect(await store.statObject(digest('nothing'))).toBeUndefined();
      await expect(store.readObject(digest('nothing'))).rejects.toMatchObject({ code: 'artifact_not_found' });
    });

    it('keeps nothing of bytes that are not what was promised, or are too many', async () => {
      const wrong = store.putObject(Buffer.from('a'), { sha256: digest('b') });
      await expect(wrong).rejects.toMatchObject({ code: 'asset_digest_mismatch' });
      expect(await store.statObject(digest('a'))).toBeUndefined();
      const large = store.putObject(Buffer.from('too large'), { maxBytes: 3 });
      await expect(large).rejects.toMatchObject({ code: 'asset_too_large' });
    });

    it('survives twenty writers of the same object at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => store.putObject(Buffer.from('same'))));
      expect(new Set(all.map(({ sha256 }) => sha256)).size).toBe(1);
      expect((await store.readObject(digest('same'))).toString()).toBe('same');
    });

    it('finds a part only where its object is there', async () => {
      const object = await store.putObject(Buffer.from('part'));
      await store.putPart(digest('key'), { ...object, meta: { a: 1 } });
      expect(await store.getPart(digest('key'))).toEqual({ ...object, meta: { a: 1 } });
      await store.putPart(digest('other'), { sha256: digest('gone'), bytes: 4 });
      expect(await store.getPart(digest('other'))).toBeUndefined();
    });

    it('lets the first of many records of one job stand', async () => {
      const written = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.putRecord(record('job', { requestId: `r${i}` }))),
      );
      expect(new Set(written.map(({ requestId }) => requestId)).size).toBe(1);
      expect(await store.getRecord('p', 'job')).toEqual(written[0]);
    });

    it('finds the records of all projects, and keeps ids that look like paths or differ in case apart', async () => {
      for (const jobId of ['.', '..', 'a', 'A']) await store.putRecord(record(jobId));
      await store.putRecord(record('a', { projectId: 'q' }));
      expect((await store.findRecords('a')).map(({ projectId }) => projectId).sort()).toEqual(['p', 'q']);
      expect(await store.findRecords('..')).toHaveLength(1);
      expect(await store.findRecords('A')).toHaveLength(1);
    });

    it('says that it can be written', () => expect(store.check()).resolves.toBeUndefined());
  });
}
