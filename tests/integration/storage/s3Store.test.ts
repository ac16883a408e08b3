import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Store, type S3Place } from '../../../src/storage/bucket/s3Store.ts';
import { freePort } from '../../support/redis.ts';
import { startS3, TEST_BUCKET, type TestS3 } from '../../support/s3.ts';
import { digestOf, recordOf, storeSuite } from './storeSuite.ts';

const KEY = 'c'.repeat(64);
let s3: TestS3;

beforeAll(async () => {
  process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
  process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';
  s3 = await startS3();
});
afterAll(() => s3.stop());

/** A prefix of its own is a store of its own. */
const freshPlace = (): S3Place => ({
  bucket: TEST_BUCKET,
  prefix: `tests/${randomUUID()}`,
  region: 'us-east-1',
  endpoint: s3.endpoint,
});

storeSuite('S3', async () => {
  const place = freshPlace();
  return { open: async () => createS3Store(place), remove: async () => undefined };
});

describe('the store in a bucket', () => {
  it('sends a large object in parts, and gives it back', async () => {
    const store = createS3Store(freshPlace());
    const bytes = Buffer.alloc(20 * 1024 * 1024, 'a large preview ');
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    }
    const before = s3.requests.length;
    const object = await store.putObject(chunks());
    expect(object).toEqual({ sha256: digestOf(bytes), bytes: bytes.length });
    // The beginning, three parts of 8 MiB, the end.
    const sent = s3.requests.slice(before).filter((request) => /^(PUT|POST)/.test(request));
    expect(sent).toHaveLength(5);
    expect((await store.readObject(object.sha256)).equals(bytes)).toBe(true);
  });

  it('does not send an object again that is there', async () => {
    const store = createS3Store(freshPlace());
    const bytes = Buffer.from('once');
    await store.putObject(bytes);
    const before = s3.requests.length;
    await store.putObject(bytes);
    expect(s3.requests.slice(before).map((request) => request.split(' ')[0])).toEqual(['HEAD']);
  });

  it('keeps stores of different prefixes apart', async () => {
    const [one, other] = [createS3Store(freshPlace()), createS3Store(freshPlace())];
    const { sha256 } = await one.putObject(Buffer.from('mine'));
    expect(await other.statObject(sha256)).toBeUndefined();
  });

  it('tries a record again that met another writer, and then leaves who has won', async () => {
    const store = createS3Store(freshPlace());
    s3.conflictNext(2);
    const record = recordOf();
    expect(await store.putRecord(record)).toEqual(record);
    s3.conflictNext(1);
    expect(await store.putRecord(recordOf({ status: 'cancelled' }))).toEqual(record);
  });

  it.each(['', '{"projectId":', 'null', '{}'])(
    'takes a record with %j in it for none, and replaces it',
    async (damage) => {
      const place = freshPlace();
      const store = createS3Store(place);
      await store.putRecord(recordOf());
      const client = new S3Client({ region: place.region, endpoint: s3.endpoint, forcePathStyle: true });
      const Key = `${place.prefix}/jobs/intro/docs.json`;
      await client.send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: Buffer.from(damage) }));
      expect(await store.getRecord('docs', 'intro')).toBeUndefined();
      const next = recordOf({ requestId: 'r-2' });
      expect(await store.putRecord(next)).toEqual(next);
      expect(await store.getRecord('docs', 'intro')).toEqual(next);
    },
  );

  it.each([
    ['is away', async () => ({ endpoint: `http://127.0.0.1:${await freePort()}` })],
    ['has no such bucket', async () => ({ bucket: 'another' })],
  ])('says so where it %s, without its address', async (_, wrong) => {
    const store = createS3Store({ ...freshPlace(), ...(await wrong()) });
    const uses = [
      () => store.check(),
      () => store.putObject(Buffer.from('bytes')),
      () => store.putPart(KEY, { sha256: KEY, bytes: 1 }),
      () => store.putRecord(recordOf()),
      () => store.getPart(KEY),
    ];
    for (const use of uses) {
      const error = await use().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('STORE_URL'),
      });
      expect(String(error)).not.toContain('127.0.0.1');
      // It is logged with its cause.
      expect(JSON.stringify(pino.stdSerializers.errWithCause(error as Error))).not.toMatch(
        /signature|S3RVER/i,
      );
    }
  });
});
