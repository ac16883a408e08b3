import { setTimeout } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { found, reached, statusOf, unavailable } from './s3Answers.ts';
import type { S3Key } from './s3Layout.ts';

const CONNECT_MS = 2000;
const REQUEST_MS = 30_000;
const ATTEMPTS = 3;
const CONFLICT_ATTEMPTS = 5;
const CONFLICT_PAUSE_MS = 50;

/** What the store asks of a bucket. @throws PreviewError `store_unavailable`, each of them */
export function createS3Bucket({ region, endpoint }: { region: string; endpoint?: string | undefined }) {
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
    // The SHA-256 in the name checks every byte, and older servers do not know the SDK's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
  });
  const head = (place: S3Key): Promise<HeadObjectCommandOutput | undefined> =>
    found(client.send(new HeadObjectCommand(place)));
  const readJson = async (place: S3Key): Promise<unknown> => {
    const answer = await found(client.send(new GetObjectCommand(place)));
    const text = answer && (await reached(answer.Body?.transformToString() ?? Promise.resolve('')));
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch {
      // It was written whole or not at all, so this is damage from outside. Treat it as missing.
      return undefined;
    }
  };
  const write = async (place: S3Key, Body: Uint8Array): Promise<void> => {
    await reached(client.send(new PutObjectCommand({ ...place, Body })));
  };
  const remove = async (place: S3Key): Promise<void> => {
    await reached(client.send(new DeleteObjectCommand(place)));
  };
  /** @returns false if something is there already */
  const writeOnce = async (place: S3Key, Body: Uint8Array): Promise<boolean> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await client.send(new PutObjectCommand({ ...place, Body, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        const status = statusOf(error);
        if (status === 412) return false;
        // Another write was running at that moment. It may still fail, so the winner is not known yet.
        if (status !== 409 || attempt === CONFLICT_ATTEMPTS) throw unavailable(error);
        await setTimeout(CONFLICT_PAUSE_MS * attempt);
      }
    }
  };
  /** What is below a name, page by page; with a delimiter the folders there as `CommonPrefixes`. */
  async function* pagesOf(
    { Bucket, Key: Prefix }: S3Key,
    query: { Delimiter?: string } = {},
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let ContinuationToken: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await reached(
        client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken, ...query })),
      );
      yield page;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
  }

  return { client, head, readJson, write, remove, writeOnce, pagesOf };
}
