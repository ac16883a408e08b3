import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';

export const TEST_BUCKET = 'previews';

export interface TestS3 {
  endpoint: string;
  /** The requests that came, as `PUT /previews/…`. */
  requests: string[];
  /** The next conditional writes meet another one that is under way, as AWS answers it. */
  conflictNext(writes: number): void;
  /** While it is told to, it answers 503 to everything. */
  refuse(isAway: boolean): void;
  stop(): Promise<void>;
}

/**
 * An S3 server of the test's own. s3rver is older than conditional writes, so those are decided here, in front of it:
 * one write of a key at a time, refused with 412 where the key is taken.
 */
export async function startS3(): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'preview-s3-'));
  const s3rver = new S3rver({
    directory,
    silent: true,
    configureBuckets: [{ name: TEST_BUCKET, configs: [] }],
  });
  await s3rver.configureBuckets();
  // It takes the 0 of `bytes=0-0` for no end at all; an object around it is not falsy.
  const { getObject } = s3rver.store;
  s3rver.store.getObject = (bucket, key, range) =>
    getObject.call(s3rver.store, bucket, key, range?.end === 0 ? { ...range, end: Object(0) } : range);
  // With a delimiter it does not see what lies two folders below the prefix.
  const { listObjects } = s3rver.store;
  s3rver.store.listObjects = async (bucket, options) => {
    const { delimiter = '', prefix = '', maxKeys = 1000, ...rest } = options;
    if (delimiter === '') return listObjects.call(s3rver.store, bucket, options);
    const { objects } = await listObjects.call(s3rver.store, bucket, { ...rest, prefix });
    const end = (key: string): number => key.indexOf(delimiter, prefix.length);
    const prefixes = objects.filter(({ key }) => end(key) >= 0).map(({ key }) => key.slice(0, end(key) + 1));
    const plain = objects.filter(({ key }) => end(key) < 0);
    const commonPrefixes = [...new Set(prefixes)].sort();
    return { objects: plain.slice(0, maxKeys), commonPrefixes, isTruncated: plain.length > maxKeys };
  };
  // Its own answers a write before the file is flushed, and a read that follows finds a short one.
  s3rver.store.putObject = async ({ bucket, key, metadata, content }) => {
    const bytes = Buffer.isBuffer(content) ? content : await buffer(content);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const path = s3rver.store.getResourcePath(bucket, key, 'object');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    await s3rver.store.putMetadata(bucket, key, metadata, md5);
    return { size: bytes.length, md5 };
  };
  const serve: RequestListener = s3rver.callback();
  const requests: string[] = [];
  let conflicts = 0;
  let isAway = false;
  const taken = new Set<string>();
  const writing = new Map<string, Promise<void>>();

  const server = createServer((request, response) => {
    const path = String(request.url).split('?')[0] ?? '';
    requests.push(`${request.method} ${path}`);
    if (isAway) {
      request.resume();
      response.writeHead(503, { 'content-type': 'application/xml' });
      response.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>');
      return;
    }
    const handle = async (): Promise<void> => {
      const closed = new Promise((resolve) => response.once('close', resolve));
      serve(request, response);
      await closed;
      if (request.method === 'PUT' && response.statusCode === 200) taken.add(path);
    };
    if (request.headers['if-none-match'] !== '*') return void handle();
    if (conflicts > 0) {
      conflicts--;
      request.resume();
      response.writeHead(409, { 'content-type': 'application/xml' });
      response.end('<Error><Code>ConditionalRequestConflict</Code><Message>wait</Message></Error>');
      return undefined;
    }
    const turn = (writing.get(path) ?? Promise.resolve()).then(() => {
      if (!taken.has(path)) return handle();
      request.resume();
      response.writeHead(412, { 'content-type': 'application/xml' });
      response.end('<Error><Code>PreconditionFailed</Code><Message>taken</Message></Error>');
      return undefined;
    });
    writing.set(path, turn);
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  return {
    endpoint,
    requests,
    conflictNext(writes) {
      conflicts = writes;
    },
    refuse(away) {
      isAway = away;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
