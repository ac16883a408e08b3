import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobRecord } from '../../../src/job/jobRecord.ts';
import type { ArtifactStore, StoredObject } from '../../../src/storage/artifactStore.ts';
import { layoutOf } from '../../../src/storage/folder/fsLayout.ts';
import { createFsStore } from '../../../src/storage/folder/fsStore.ts';
import { type Collection, collectGarbage } from '../../../src/storage/upkeep/collectGarbage.ts';
import { verifyStore } from '../../../src/storage/upkeep/verifyStore.ts';
import { digestOf as digestOfBytes, recordOf } from './storeSuite.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const digestOf = (text: string): string => digestOfBytes(Buffer.from(text));
const key = (digit: string): string => digit.repeat(64);

let folder: string;
let store: ArtifactStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'preview-upkeep-'));
  store = await createFsStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const objectPath = (sha256: string): string => layoutOf(folder).objectPath(sha256);
const isThere = ({ sha256 }: StoredObject): Promise<boolean> =>
  stat(objectPath(sha256)).then(
    () => true,
    () => false,
  );
const aged = async (path: string, days: number): Promise<void> => {
  const time = Date.now() / 1000 - days * 86_400;
  await utimes(path, time, time);
};

/** An object that was used last so many days ago. */
async function objectOf(text: string, days: number): Promise<StoredObject> {
  const object = await store.putObject(Buffer.from(text));
  await aged(objectPath(object.sha256), days);
  return object;
}

async function partOf(digit: string, object: StoredObject, days: number): Promise<void> {
  await store.putPart(key(digit), object);
  await aged(layoutOf(folder).partPath(key(digit)), days);
}

/** The record of a job that ended so many days ago and made that. */
function endedJob(jobId: string, days: number, made: StoredObject, projectId = 'docs'): Promise<JobRecord> {
  const finishedAt = new Date(Date.now() - days * DAY_MS).toISOString();
  const artifacts = [{ name: 'preview.mp4', mediaType: 'video/mp4', ...made }];
  return store.putRecord(recordOf({ jobId, projectId, finishedAt, artifacts }));
}

const collect = (rest: Partial<Collection> = {}) =>
  collectGarbage(folder, {
    retention: { days: 30, projects: new Map() },
    leaseMs: HOUR_MS,
    neededObjects: new Set(),
    isNeeded: () => false,
    dryRun: false,
    ...rest,
  });

describe('garbage collection', () => {
  it('forgets an upload with its bytes, and not before', async () => {
    const [gone, used] = [await objectOf('gone', 31), await objectOf('used', 1)];
    for (const upload of [gone, used]) {
      await store.putUpload('docs', upload);
      await aged(layoutOf(folder).uploadPath('docs', upload), 40);
    }
    await collect({ dryRun: true });
    expect(await store.listUploads('docs')).toHaveLength(2);
    await collect();
    expect(await isThere(gone)).toBe(false);
    expect(await store.listUploads('docs')).toEqual([used]);
  });

  it('keeps what a record leads to, however long nobody has asked for it', async () => {
    const made = await objectOf('video', 400);
    await endedJob('young', 29, made);
    expect(await collect()).toMatchObject({ records: { removed: { count: 0 } } });
    expect(await isThere(made)).toBe(true);
  });

  it('takes the entries of the list away with their records, and those that lost theirs', async () => {
    const listed = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { jobId } of store.listEnded({})) ids.push(jobId);
      return ids;
    };
    const made = await objectOf('made', 0);
    await endedJob('old', 31, made);
    const kept = await endedJob('kept', 1, made);
    const lost = await endedJob('lost', 1, made);
    await rm(layoutOf(folder).recordPath('docs', 'lost'));
    await collect();
    expect((await listed()).sort()).toEqual(['kept', 'lost']);
    for (const record of [kept, lost]) await aged(layoutOf(folder).entryPath(record), 2);
    await collect();
    expect(await listed()).toEqual(['kept']);
  });

  it('removes old records, and what they led to when nobody can be reading it any more', async () => {
    const made = await objectOf('video', 31);
    await endedJob('old', 31, made);
    expect(await collect()).toMatchObject({ records: { removed: { count: 1 } } });
    expect(await store.getRecord('docs', 'old')).toBeUndefined();
    expect(await isThere(made)).toBe(true);
    await collect({ now: Date.now() + 0.9 * HOUR_MS });
    expect(await isThere(made)).toBe(true);
    const report = await collect({ now: Date.now() + 1.1 * HOUR_MS });
    expect(report).toMatchObject({ objects: { removed: { count: 1, bytes: 5 } } });
    expect(await isThere(made)).toBe(false);
  });

  it('goes by the days of the project', async () => {
    const retention = { days: 30, projects: new Map([['brief', 7]]) };
    const made = await objectOf('video', 8);
    await endedJob('one', 8, made, 'brief');
    await endedJob('one', 8, made, 'docs');
    expect(await collect({ retention })).toMatchObject({
      records: { removed: { count: 1 }, kept: { count: 1 } },
    });
    expect(await store.getRecord('brief', 'one')).toBeUndefined();
    expect(await store.getRecord('docs', 'one')).toBeDefined();
  });

  it('removes parts and uploads that nobody has used for so long, and no others', async () => {
    const [oldPart, usedPart] = [await objectOf('segment 1', 31), await objectOf('segment 2', 1)];
    await partOf('a', oldPart, 31);
    await partOf('b', usedPart, 31);
    const [oldUpload, newUpload] = [await objectOf('photo 1', 31), await objectOf('photo 2', 29)];
    expect(await collect()).toMatchObject({
      parts: { removed: { count: 1 }, kept: { count: 1 } },
      objects: { removed: { count: 2, bytes: 16 }, kept: { count: 2, bytes: 16 } },
    });
    expect(await Promise.all([oldPart, usedPart, oldUpload, newUpload].map(isThere))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(await store.getPart(key('a'))).toBeUndefined();
  });

  it('keeps what a render has just found, and what waiting jobs and dead letters need', async () => {
    const [found, waiting] = [await objectOf('segment', 31), await objectOf('photo', 31)];
    await partOf('a', found, 31);
    await endedJob('dead', 31, await objectOf('nothing', 31));
    expect(await store.getPart(key('a'))).toBeDefined();
    await collect({ neededObjects: new Set([waiting.sha256]), isNeeded: ({ jobId }) => jobId === 'dead' });
    expect(await isThere(found)).toBe(true);
    expect(await isThere(waiting)).toBe(true);
    expect(await store.getRecord('docs', 'dead')).toBeDefined();
  });

  it('lets a download that has begun go on to its end', async () => {
    const bytes = Buffer.alloc(3_000_000, 'video');
    const { sha256 } = await store.putObject(bytes);
    await aged(objectPath(sha256), 40);
    const download = await store.openObject(sha256);
    const chunks = [(await once(download, 'readable')) && download.read(1000)];
    expect(await collect()).toMatchObject({ objects: { removed: { count: 1 } } });
    for await (const chunk of download) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('keeps what somebody finds in the moment in which it is removed', async () => {
    await Promise.all(Array.from({ length: 400 }, (_, i) => objectOf(`segment ${i}`, 40)));
    // In the order of garbage collection: when one object is gone, it has come to the next.
    const shelves = await readdir(join(folder, 'objects'));
    const order = (await Promise.all(shelves.map((shelf) => readdir(join(folder, 'objects', shelf))))).flat();
    const finding = (async () => {
      const found: StoredObject[] = [];
      for (let i = 1; i < order.length; i += 2) {
        while (await isThere({ sha256: String(order[i - 1]), bytes: 0 }));
        const object = await store.statObject(String(order[i]));
        if (object) found.push(object);
      }
      return found;
    })();
    const [found] = await Promise.all([finding, collect()]);
    expect((await Promise.all(found.map(isThere))).filter((there) => !there)).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });

  it('leaves no empty folder of a job behind', async () => {
    await endedJob('old', 31, await objectOf('video', 31));
    await endedJob('shared', 31, await objectOf('video', 31));
    await endedJob('shared', 1, await objectOf('video', 31), 'others');
    await collect();
    expect(await readdir(join(folder, 'jobs'))).toEqual(['shared']);
    await endedJob('old', 1, await objectOf('video', 31));
    expect(await store.getRecord('docs', 'old')).toBeDefined();
  });

  it('removes nothing in a dry run, and reports what it would', async () => {
    const part = await objectOf('segment', 31);
    await partOf('a', part, 31);
    await endedJob('old', 31, await objectOf('video', 31));
    const dry = await collect({ dryRun: true });
    expect(dry).toMatchObject({
      records: { removed: { count: 1 } },
      parts: { removed: { count: 1 } },
      objects: { removed: { count: 1, bytes: 7 } },
    });
    expect(await isThere(part)).toBe(true);
    expect(await store.getRecord('docs', 'old')).toBeDefined();
    expect(await collect()).toEqual(dry);
  });
});

describe('verifying', () => {
  it('finds a flipped byte, and names the object', async () => {
    const good = await store.putObject(Buffer.from('good'));
    const bad = await store.putObject(Buffer.from('bad bytes'));
    await writeFile(objectPath(bad.sha256), 'bad bytEs');
    const check = await verifyStore(folder);
    expect(check).toMatchObject({ objects: 2, bytes: 13 });
    expect(check.damage).toEqual([
      { kind: 'object', name: bad.sha256, problem: expect.stringContaining('SHA-256') },
    ]);
    expect(await isThere(bad)).toBe(true);
    await verifyStore(folder, { removeDamaged: true });
    expect([await isThere(good), await isThere(bad)]).toEqual([true, false]);
    expect(await verifyStore(folder)).toMatchObject({ objects: 1, damage: [] });
  });

  it('finds nothing wrong with what is written while it looks', async () => {
    await endedJob('a', 1, await store.putObject(Buffer.from('video')));
    await writeFile(layoutOf(folder).recordPath('docs', 'a'), '{');
    await endedJob('b', 1, await store.putObject(Buffer.from('video')), 'others');
    const { damage } = await verifyStore(folder, {
      // A job ends between two looks.
      onDamage: () => {
        const made = { sha256: digestOf('new video'), bytes: 9 };
        mkdirSync(dirname(objectPath(made.sha256)), { recursive: true });
        writeFileSync(objectPath(made.sha256), 'new video');
        const artifacts = [{ name: 'preview.mp4', mediaType: 'video/mp4', ...made }];
        writeFileSync(
          layoutOf(folder).recordPath('docs', 'b'),
          JSON.stringify(recordOf({ jobId: 'b', artifacts })),
        );
      },
    });
    expect(damage).toEqual([{ kind: 'record', name: 'docs', problem: 'it cannot be read' }]);
  });

  it('finds a record whose artifact is cut off or gone, and one that cannot be read', async () => {
    const made = await store.putObject(Buffer.from('video'));
    await endedJob('cut', 1, made);
    await endedJob('broken', 1, made);
    await truncate(objectPath(made.sha256), 3);
    await writeFile(layoutOf(folder).recordPath('docs', 'broken'), '{');
    const { damage, records } = await verifyStore(folder);
    expect(records).toBe(2);
    expect(damage).toHaveLength(3);
    expect(damage).toContainEqual({
      kind: 'record',
      name: 'docs/cut',
      problem: 'its artifact preview.mp4 is missing or incomplete',
    });
  });
});
