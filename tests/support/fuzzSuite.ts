import { readdirSync, readFileSync } from 'node:fs';
import fc, { type Arbitrary } from 'fast-check';
import { type Dispatcher, Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../src/errors.ts';
import { openRaw } from './rawClient.ts';
import { fromSchema, type Schema } from './schemaArbitrary.ts';
import { type Service, smallJob, startService } from './service.ts';

const AT_ONCE = 10;
/** Longer than anything may take: a playlist waits for ten seconds. */
const HANG_MS = 15_000;

interface Operation {
  parameters?: { name: string; in: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array | undefined;
}

/** Text that breaks things. */
const NASTY = [
  ...['', '.', '..', '../../etc/passwd', '%2e%2e%2f', '%00', '%', '%zz', '/', '//', '\\', ';', '?', '#', '&'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'undefined',
    'NaN',
    '-1',
    '0',
    '1e999',
    '9'.repeat(400),
  ],
  ...[
    "'",
    '"',
    '`id`',
    '$(id)',
    '{{7*7}}',
    '<script>',
    "' OR 1=1 --",
    'a\u0000b',
    '\ud800',
    '\u202e',
    '𝟘',
    '😀',
  ],
  ...['a'.repeat(128), 'a'.repeat(129), 'a'.repeat(3000), 'known', 'x:y', '*', '[object Object]', 'a,b', ' '],
];
const nasty = fc.constantFrom(...NASTY);
const word = fc.oneof({ weight: 2, arbitrary: nasty }, fc.string({ unit: 'binary', maxLength: 40 }));
/** Encoded or as it is, where a request line can hold it at all. */
const inAddress = (value: Arbitrary<string>): Arbitrary<string> =>
  fc.tuple(value, fc.boolean()).map(([text, raw]) => {
    const encoded = encodeURIComponent(Buffer.from(text).toString());
    return raw && /^[!-~]*$/.test(text) ? text.replace(/[?#]/g, '') : encoded;
  });
const inHeader = word.map((text) => text.replace(/[^ -~\u00a0-\u00ff]/g, '').trim());

const payloads = readdirSync(new URL('../payloads/valid/', import.meta.url)).map((name): unknown =>
  JSON.parse(readFileSync(new URL(`../payloads/valid/${name}`, import.meta.url), 'utf8')),
);
const HEADS = [
  'ffd8ffe0',
  '89504e470d0a1a0a',
  '52494646ffffffff57454250',
  '4f676753',
  '1a45dfa3',
  '0000001866747970',
];

const bytes = fc
  .tuple(fc.constantFrom('', ...HEADS), fc.uint8Array({ maxLength: 300 }))
  .map(([head, rest]) => Buffer.concat([Buffer.from(head, 'hex'), rest]));

/** A job with one of its values changed. */
const mutated = fc
  .tuple(fc.constantFrom(...payloads), fc.nat(), fc.oneof(fc.jsonValue({ maxDepth: 2 }), word))
  .map(([payload, at, value]) => {
    let index = 0;
    const places = JSON.stringify(payload).match(/"[^"]*":/g)?.length ?? 1;
    return JSON.parse(JSON.stringify(payload), (key, old) =>
      key !== '' && index++ === at % places ? value : old,
    );
  });

/** What is fuzzed is the door, not the renderer: no job is rendered. */
const planned = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && 'dryRun' in value && value.dryRun === false
    ? { ...value, dryRun: true }
    : value;

function bodyOf(operation: Operation, description: Description): Arbitrary<string | Uint8Array | undefined> {
  const schema = operation.requestBody?.content?.['application/json']?.schema;
  const json = (schema ? fromSchema(schema, description.components.schemas) : fc.jsonValue()).map(planned);
  const text = fc.oneof(
    { weight: 4, arbitrary: json.map((value) => JSON.stringify(value)) },
    { weight: 4, arbitrary: mutated.map((value) => JSON.stringify(planned(value)) ?? '') },
    // Also what is accepted, and what is accepted again: chance alone brings each a few times, and not in every run.
    { weight: 3, arbitrary: fc.nat(9).map((i) => JSON.stringify(planned(smallJob(`fuzz-${i}`)))) },
    fc.json(),
    word,
    fc.nat(3000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    fc.constantFrom(
      '{"__proto__":{"dryRun":true}}',
      '{"constructor":{"prototype":{}}}',
      '{"a":1,"a":2}',
      '\ufeff{}',
    ),
  );
  if (schema) return fc.oneof({ weight: 9, arbitrary: text }, bytes);
  return fc.oneof(fc.constant(undefined), bytes, text);
}

function callOf(
  path: string,
  method: string,
  operation: Operation,
  description: Description,
): Arbitrary<Call> {
  const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const value = inAddress(fc.oneof(word, fc.constantFrom('known', 'tests', '1', 'poster.jpg')));
  const places = [...path.matchAll(/\{\w+\}/g)].map(([place]) => place);
  const query = fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom('projectId', ...named.map(({ name }) => name)), inAddress(word)),
      value,
    ),
    { maxLength: 4 },
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'accept',
      'range',
      'if-none-match',
      'if-range',
      'x-request-id',
      'traceparent',
      'authorization',
      'content-encoding',
      'x-forwarded-for',
      'cookie',
      'origin',
      'last-event-id',
    ),
    fc.oneof(
      inHeader,
      fc.constantFrom('bytes=0-9', 'bytes=9-0', 'bytes=-', '*', 'gzip', 'Bearer ', 'Bearer x'),
    ),
    { maxKeys: 3 },
  );
  const type = fc.oneof(
    { weight: 8, arbitrary: fc.constant('application/json') },
    fc.constantFrom(
      'text/plain',
      'application/octet-stream',
      'multipart/form-data; boundary=x',
      'image/svg+xml',
      '',
    ),
    inHeader,
  );
  const hasBody = method !== 'get' && method !== 'head';
  return fc
    .record({
      places: fc.tuple(...places.map(() => value)),
      query,
      headers,
      type,
      body: hasBody ? bodyOf(operation, description) : fc.constant(undefined),
    })
    .map((drawn) => {
      const filled = places.reduce(
        (text, place, i) => text.replace(place, () => drawn.places[i] ?? ''),
        path,
      );
      const search = drawn.query.map(([name, text]) => `${name}=${text}`).join('&');
      return {
        method: method.toUpperCase(),
        path: search ? `${filled}?${search}` : filled,
        headers: drawn.body === undefined ? drawn.headers : { ...drawn.headers, 'content-type': drawn.type },
        body: drawn.body,
      };
    });
}

/** @param requests made of the description @param connections that bring anything */
/** @param kinds the answers of which some must be among so many random ones */
export function fuzzSuite({
  requests,
  connections,
  kinds,
}: {
  requests: number;
  connections: number;
  kinds: string[];
}): void {
  describe('whatever is sent', () => {
    let service: Service;
    let pool: Pool;
    let description: Description;

    beforeAll(async () => {
      service = await startService({
        PREVIEW_ASSET_ALLOW_HOSTS: 'nowhere.invalid',
        PREVIEW_WEBHOOK_ALLOW_HOSTS: 'nowhere.invalid',
        PREVIEW_WEBHOOK_SECRETS: `tests:whsec_${Buffer.alloc(32, 's').toString('base64')}`,
      });
      pool = new Pool(service.url, { connections: AT_ONCE, headersTimeout: HANG_MS, bodyTimeout: HANG_MS });
      description = (await service.get('/openapi.json')).body as unknown as Description;
      await service.post('/api/preview/job', smallJob('known'));
      await service.ended('known');
    });

    afterAll(async () => {
      await pool.destroy();
      await service.stop();
    });

    const seen = new Map<string, number>();

    /** Answers what is wrong with the answer; nothing where it is as it should be. */
    async function problemOf(call: Call): Promise<string | undefined> {
      let response: Dispatcher.ResponseData;
      try {
        response = await pool.request({
          method: call.method as Dispatcher.HttpMethod,
          path: call.path,
          headers: call.headers,
          body: call.body ?? null,
          signal: AbortSignal.timeout(HANG_MS),
        });
      } catch (error) {
        return `no answer: ${error}`;
      }
      const { statusCode: status, headers, body } = response;
      seen.set(`${call.method} ${status}`, (seen.get(`${call.method} ${status}`) ?? 0) + 1);
      const type = String(headers['content-type']);
      if (type.includes('event-stream')) {
        body.on('error', () => undefined).destroy();
        return undefined;
      }
      const text = await body.text();
      if (status >= 500) return `${status}: ${text}`;
      if (status < 400 || call.method === 'HEAD') return undefined;
      if (!type.includes('application/problem+json')) return `${status} as ${type}: ${text}`;
      const problem = JSON.parse(text) as Record<string, unknown>;
      if (!(String(problem.code) in catalogue)) return `no such code: ${text}`;
      if (problem.status !== status || !problem.title || !problem.detail) return `incomplete: ${text}`;
      if (problem.requestId !== headers['x-request-id']) return `another request: ${text}`;
      return undefined;
    }

    test(`${requests} requests made of the description: no 5xx, no hang, every 4xx a problem`, {
      timeout: 240_000,
    }, async () => {
      const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => callOf(path, method, operation, description)),
      );
      expect(operations.length).toBeGreaterThan(20);
      const calls = fc.array(fc.oneof(...operations), { minLength: AT_ONCE, maxLength: AT_ONCE });
      await fc.assert(
        fc.asyncProperty(calls, async (batch) => {
          const problems = await Promise.all(batch.map(problemOf));
          const wrong = batch.flatMap((call, i) => (problems[i] ? [{ ...call, problem: problems[i] }] : []));
          expect(wrong).toEqual([]);
        }),
        { numRuns: requests / AT_ONCE, endOnFailure: true },
      );
      expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(requests);
      // Not everything was turned away at the first door.
      for (const kind of kinds) expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(0);
    });

    test(`${connections} connections that bring anything: an answer below 500 or none, and then the end`, {
      timeout: 60_000,
    }, async () => {
      const line = fc.constantFrom('GET / HTTP/1.1\r\n', 'POST /api/preview/job HTTP/1.1\r\n', 'GET ', '');
      const host = fc.constantFrom(
        'host: x\r\n',
        'host: x\r\ncontent-length: 3\r\n',
        'transfer-encoding: chunked\r\n',
      );
      const anything = fc
        .tuple(line, host, fc.uint8Array({ maxLength: 200 }))
        .map(([start, header, rest]) => Buffer.concat([Buffer.from(start + header, 'latin1'), rest]));
      await fc.assert(
        fc.asyncProperty(anything, async (sent) => {
          const client = await openRaw(service.url);
          client.socket.end(sent);
          const { text } = await client.closed;
          if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 [234]\d\d /);
          if (/^HTTP\/1\.1 4/.test(text)) expect(text).toContain('application/problem+json');
        }),
        { numRuns: connections, endOnFailure: true },
      );
    });

    test('afterwards the service is well, and the next job fine', async () => {
      expect((await service.get('/livez')).status).toBe(200);
      expect((await service.get('/api/preview/worker/health')).body.status).toBe('ok');
      expect((await service.post('/api/preview/job', smallJob('next'))).status).toBe(202);
      expect(await service.ended('next')).toMatchObject({ status: 'completed' });
    });
  });
}
