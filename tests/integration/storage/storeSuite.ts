import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import type { ArtifactStore } from '../../../src/storage/artifactStore.ts';

/** A place for one test: every `open` is one more process's view of the same store. */
export interface StorePlace {
  open(): Promise<ArtifactStore>;
  remove(): Promise<void>;
}

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export function recordOf(parts: Partial<JobRecord> = {}): JobRecord {
  return {
    projectId: 'docs',
    jobId: 'intro',
    requestId: 'r-1',
    fingerprint: 'f'.repeat(64),
    status: 'completed',
    dryRun: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:09.000Z',
    attemptsMade: 1,
    warnings: [],
    artifacts: [],
    ...parts,
  };
}

const HELLO = Buffer.from('hello, store');
const KEY = 'c'.repeat(64);
const MISSING = 'd'.repeat(64);

async function* streamOf(...chunks: (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk;
    yield chunk;
  }
}

/** What every store promises. */
export function storeSuite(name: string, createPlace: () => Promise<StorePlace>): void {
  describe(`${name}: a store`, () => {
    let place: StorePlace;
    let store: ArtifactStore;

    beforeEach(async () => {
      place = await createPlace();
      store = await place.open();
    });
    afterEach(() => place.remove());

    const readAll = async (...args: Parameters<ArtifactStore['openObject']>): Promise<Buffer> =>
      Buffer.concat(await (await store.openObject(...args)).toArray());

    describe('keeps objects', () => {
      it('gives back the bytes that were put, under their SHA-256', async () => {
        const object = await store.putObject(HELLO);
        expect(object).toEqual({ sha256: digestOf(HELLO), bytes: HELLO.length });
        expect(await store.statObject(object.sha256)).toEqual(object);
        expect(await store.readObject(object.sha256)).toEqual(HELLO);
        expect(await readAll(object.sha256)).toEqual(HELLO);
      });

      it('keeps a stream as it keeps bytes', async () => {
        const object = await store.putObject(streamOf(HELLO.subarray(0, 5), HELLO.subarray(5)));
        expect(object).toEqual({ sha256: digestOf(HELLO), bytes: HELLO.length });
        expect(await store.readObject(object.sha256)).toEqual(HELLO);
      });

      it('keeps an object without bytes', async () => {
        const { sha256 } = await store.putObject(Buffer.alloc(0));
        expect(await store.statObject(sha256)).toEqual({ sha256, bytes: 0 });
        expect(await store.readObject(sha256)).toHaveLength(0);
      });

      it('gives what was put by one process to another', async () => {
        const { sha256 } = await store.putObject(HELLO);
        expect(await (await place.open()).readObject(sha256)).toEqual(HELLO);
      });

      it('gives the bytes of a range, both ends included', async () => {
        const { sha256 } = await store.putObject(HELLO);
        expect(String(await readAll(sha256, { start: 7, end: 9 }))).toBe('sto');
        expect(String(await readAll(sha256, { start: 0, end: 0 }))).toBe('h');
        expect(String(await readAll(sha256, { start: 7, end: 99 }))).toBe('store');
      });

      it('says that an object is not there', async () => {
        expect(await store.statObject(MISSING)).toBeUndefined();
        await expect(store.readObject(MISSING)).rejects.toMatchObject({ code: 'artifact_not_found' });
        await expect(store.openObject(MISSING)).rejects.toMatchObject({ code: 'artifact_not_found' });
      });

      it.each(['', '..', '../../etc/passwd', MISSING.toUpperCase(), `${MISSING}/x`, `${MISSING}\n`])(
        'takes %j for no digest',
        async (digest) => {
          await expect(store.readObject(digest)).rejects.toMatchObject({ code: 'artifact_not_found' });
          await expect(store.openObject(digest)).rejects.toMatchObject({ code: 'artifact_not_found' });
        },
      );

      it('shows nothing of an object before all of it is there', async () => {
        const seen: unknown[] = [];
        async function* looking() {
          yield HELLO.subarray(0, 5);
          seen.push(await store.statObject(digestOf(HELLO.subarray(0, 5))));
          yield HELLO.subarray(5);
          seen.push(await store.statObject(digestOf(HELLO)));
        }
        const object = await store.putObject(looking());
        expect(seen).toEqual([undefined, undefined]);
        expect(await store.statObject(object.sha256)).toEqual(object);
      });

      it('lets twenty writers put the same bytes at once', async () => {
        const bytes = Buffer.alloc(300_000, 'abc');
        const stores = [store, await place.open()];
        const puts = Array.from({ length: 20 }, (_, i) =>
          (stores[i % 2] ?? store).putObject(i % 4 < 2 ? bytes : streamOf(bytes)),
        );
        const object = { sha256: digestOf(bytes), bytes: bytes.length };
        expect(await Promise.all(puts)).toEqual(Array(20).fill(object));
        expect(await store.readObject(object.sha256)).toEqual(bytes);
      });

      it.each([
        ['bytes', () => HELLO],
        ['a stream', () => streamOf(HELLO)],
      ])('refuses %s of another digest, and keeps nothing', async (_, source) => {
        const put = store.putObject(source(), { sha256: MISSING });
        await expect(put).rejects.toMatchObject({ code: 'asset_digest_mismatch' });
        expect(await store.statObject(MISSING)).toBeUndefined();
        expect(await store.statObject(digestOf(HELLO))).toBeUndefined();
      });

      it('stops reading a stream that is too long', async () => {
        let asked = 0;
        async function* endless() {
          for (;;) {
            asked += 1;
            yield Buffer.alloc(1000);
          }
        }
        const put = store.putObject(endless(), { maxBytes: 2500 });
        await expect(put).rejects.toMatchObject({
          code: 'asset_too_large',
          message: expect.stringContaining('2500'),
        });
        expect(asked).toBe(3);
      });

      it('takes exactly as many bytes as are allowed', async () => {
        const maxBytes = HELLO.length;
        await expect(store.putObject(HELLO, { maxBytes: maxBytes - 1 })).rejects.toMatchObject({
          code: 'asset_too_large',
        });
        expect(await store.putObject(HELLO, { maxBytes })).toMatchObject({ bytes: maxBytes });
      });

      it('passes on what goes wrong in a stream, and keeps nothing', async () => {
        const broken = new Error('the line went dead');
        await expect(store.putObject(streamOf(HELLO, broken))).rejects.toBe(broken);
        expect(await store.statObject(digestOf(HELLO))).toBeUndefined();
      });
    });

    describe('keeps parts', () => {
      it('leads from a key to its object and what its maker noted', async () => {
        expect(await store.getPart(KEY)).toBeUndefined();
        const part = { ...(await store.putObject(HELLO)), meta: { frames: 15, box: { x: 0.5 } } };
        await store.putPart(KEY, part);
        expect(await store.getPart(KEY)).toEqual({ ...part, madeAt: expect.any(String) });
      });

      it('does not know a part whose object is not there', async () => {
        await store.putPart(KEY, { sha256: MISSING, bytes: 3 });
        expect(await store.getPart(KEY)).toBeUndefined();
      });

      it('does not know a part whose object is of another length', async () => {
        const { sha256 } = await store.putObject(HELLO);
        await store.putPart(KEY, { sha256, bytes: HELLO.length + 1 });
        expect(await store.getPart(KEY)).toBeUndefined();
      });

      it('takes the newer part of a key', async () => {
        await store.putPart(KEY, { sha256: MISSING, bytes: 3 });
        const part = await store.putObject(HELLO);
        await store.putPart(KEY, part);
        expect(await store.getPart(KEY)).toEqual({ ...part, madeAt: expect.any(String) });
      });
    });

    describe('keeps records', () => {
      it('gives back a record to who asks for its project and job', async () => {
        expect(await store.getRecord('docs', 'intro')).toBeUndefined();
        const record = recordOf();
        expect(await store.putRecord(record)).toEqual(record);
        expect(await store.getRecord('docs', 'intro')).toEqual(record);
        expect(await store.getRecord('other', 'intro')).toBeUndefined();
        expect(await store.getRecord('docs', 'other')).toBeUndefined();
      });

      it('removes the record that is named, and no later one of the same job', async () => {
        const first = await store.putRecord(recordOf({ status: 'failed' }));
        await store.removeRecord(first);
        expect(await store.getRecord('docs', 'intro')).toBeUndefined();
        const second = await store.putRecord(recordOf({ finishedAt: '2026-01-02T00:00:00.000Z' }));
        await store.removeRecord(first);
        expect(await store.getRecord('docs', 'intro')).toEqual(second);
        await store.removeRecord(recordOf({ jobId: 'nobody' }));
      });

      it('keeps the details that a record names together with it', async () => {
        const details = { sha256: digestOf(HELLO), bytes: HELLO.length };
        const record = await store.putRecord(recordOf({ details }), HELLO);
        expect(await store.getRecord('docs', 'intro')).toEqual(record);
        expect(await store.readObject(details.sha256)).toEqual(HELLO);
      });

      it('lets the first record stand', async () => {
        const first = await store.putRecord(recordOf({ status: 'cancelled' }));
        expect(await store.putRecord(recordOf({ status: 'completed' }))).toEqual(first);
        expect(await store.getRecord('docs', 'intro')).toEqual(first);
      });

      it('lets exactly one of twenty writers at once win, and tells all of them who it was', async () => {
        const stores = [store, await place.open()];
        const puts = Array.from({ length: 20 }, (_, i) =>
          (stores[i % 2] ?? store).putRecord(recordOf({ requestId: `r-${i}` })),
        );
        const answers = await Promise.all(puts);
        const standing = await store.getRecord('docs', 'intro');
        expect(answers).toEqual(Array(20).fill(standing));
      });

      it('finds the records of all projects that have the job', async () => {
        expect(await store.findRecords('intro')).toEqual([]);
        await store.putRecord(recordOf({ projectId: 'a' }));
        await store.putRecord(recordOf({ projectId: 'B' }));
        await store.putRecord(recordOf({ projectId: 'c', jobId: 'other' }));
        const found = await store.findRecords('intro');
        expect(found.map(({ projectId }) => projectId).sort()).toEqual(['B', 'a']);
      });

      it.each([
        ['dots', ['.', '..', '...', '.a']],
        ['case', ['intro', 'Intro', 'INTRO', 'iNTRO']],
        ['length', ['A'.repeat(128), 'a'.repeat(128), '.'.repeat(128)]],
        ['endings', ['a.json', 'a', 'a.']],
      ])('keeps ids apart that differ in %s only', async (_, ids) => {
        for (const jobId of ids) {
          for (const projectId of ids) await store.putRecord(recordOf({ jobId, projectId }));
        }
        for (const jobId of ids) {
          for (const projectId of ids) {
            expect(await store.getRecord(projectId, jobId)).toMatchObject({ jobId, projectId });
          }
          expect(await store.findRecords(jobId)).toHaveLength(ids.length);
        }
      });

      it.each(['', 'a/b', '../a', 'a\0', 'ä', 'a'.repeat(129)])('has no job of the id %j', async (id) => {
        await expect(store.getRecord('docs', id)).rejects.toMatchObject({ code: 'job_not_found' });
        await expect(store.putRecord(recordOf({ projectId: id }))).rejects.toMatchObject({
          code: 'job_not_found',
        });
      });
    });

    describe('notes uploads', () => {
      const object = { sha256: KEY, bytes: 12 };
      const other = { sha256: MISSING, bytes: 0 };

      it('of each project, and of those who have none', async () => {
        for (const projectId of ['docs', 'Docs', undefined]) {
          expect(await store.listUploads(projectId)).toEqual([]);
          await store.putUpload(projectId, object);
          await store.putUpload(projectId, object);
          expect(await store.listUploads(projectId)).toEqual([object]);
          expect(await store.hasUpload(projectId, object)).toBe(true);
          expect(await store.hasUpload(projectId, other)).toBe(false);
        }
        expect(await store.hasUpload('shop', object)).toBe(false);
        expect(await (await place.open()).listUploads('docs')).toEqual([object]);
      });

      it('until they are removed, each for itself', async () => {
        for (const each of [other, object]) await store.putUpload('docs', each);
        await store.putUpload('shop', object);
        expect(await store.listUploads('docs')).toEqual([object, other]);
        expect(await store.removeUpload('docs', object.sha256)).toBe(true);
        expect(await store.removeUpload('docs', object.sha256)).toBe(false);
        expect(await store.listUploads('docs')).toEqual([other]);
        expect(await store.listUploads('shop')).toEqual([object]);
      });
    });

    describe('lists ended jobs', () => {
      const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
      const listed = async (options: Parameters<ArtifactStore['listEnded']>[0] = {}) => {
        const entries: string[] = [];
        for await (const { projectId, jobId } of store.listEnded(options))
          entries.push(`${projectId}/${jobId}`);
        return entries;
      };

      it('the last accepted first, of all projects or of one', async () => {
        expect(await listed()).toEqual([]);
        await store.putRecord(recordOf({ jobId: 'b', createdAt: at(2) }));
        await store.putRecord(recordOf({ jobId: 'a', createdAt: at(3), projectId: 'Shop' }));
        await store.putRecord(recordOf({ jobId: 'c', createdAt: at(1) }));
        // Another shelf.
        await store.putRecord(recordOf({ jobId: 'd', createdAt: '2026-02-01T00:00:00.000Z' }));
        await store.putRecord(recordOf({ jobId: 'e', createdAt: at(2), projectId: 'also' }));
        expect(await listed()).toEqual(['docs/d', 'Shop/a', 'docs/b', 'also/e', 'docs/c']);
        expect(await listed({ projectId: 'docs' })).toEqual(['docs/d', 'docs/b', 'docs/c']);
        expect(await listed({ projectId: 'nobody' })).toEqual([]);
      });

      it('from behind any of them', async () => {
        for (let i = 0; i < 8; i++) {
          const createdAt = at(Math.floor(i / 2));
          await store.putRecord(
            recordOf({ jobId: `job-${i}`, projectId: i % 3 ? 'docs' : 'shop', createdAt }),
          );
        }
        const all = await listed();
        let i = 0;
        for await (const after of store.listEnded({}))
          expect(await listed({ after })).toEqual(all.slice(++i));
        expect(i).toBe(8);
      });

      it('with what their records say, and no more when their records are gone', async () => {
        const record = await store.putRecord(
          recordOf({ status: 'failed', priority: 'high', createdAt: at(5) }),
        );
        const entries = [];
        for await (const entry of store.listEnded({})) entries.push(entry);
        expect(entries).toMatchObject([{ status: 'failed', priority: 'high', createdAt: at(5) }]);
        await store.removeRecord(record);
        expect(await listed()).toEqual([]);
      });

      it('once, where several writers wanted to end one', async () => {
        const ends = ['completed', 'failed', 'cancelled'] as const;
        const [standing] = await Promise.all(ends.map((status) => store.putRecord(recordOf({ status }))));
        const entries = [];
        for await (const entry of store.listEnded({})) entries.push(entry);
        expect(entries).toMatchObject([{ jobId: 'intro', status: standing?.status }]);
      });

      it.each(['', '../docs', 'a/b'])('has no project %j', async (projectId) => {
        await expect(listed({ projectId })).rejects.toMatchObject({ code: 'job_not_found' });
      });
    });

    it('says that it can be written', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
