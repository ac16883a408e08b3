import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DATA_BYTES } from '../../../src/job/dataUrl.ts';
import { validateParsedPayload, validatePreviewPayload } from '../../../src/job/validatePreviewPayload.ts';
import { imageOf, jobWith, validPayload } from './jobs.ts';

/** The message at a pointer, or undefined where the pointer is not complained about. */
function messageAt(pointer: string, payload: unknown): string | undefined {
  const result = validatePreviewPayload(payload);
  return result.ok ? undefined : result.errors.find((error) => error.pointer === pointer)?.message;
}

describe('a message says what is expected', () => {
  const { requestId: _, ...withoutRequestId } = jobWith();
  const request = '/previewRequest';
  const cases: [pointer: string, payload: unknown, message: string][] = [
    ['/requestId', withoutRequestId, 'is required'],
    ['/priority', { ...jobWith(), priority: 'urgent' }, 'must be one of low, normal, high'],
    ['/priority', { ...jobWith(), priority: 1 }, 'must be one of low, normal, high'],
    ['/dryRun', { ...jobWith(), dryRun: null }, 'must be a boolean, not null'],
    ['/attempts', { ...jobWith(), attempts: 1.5 }, 'must be a whole number, not 1.5'],
    ['/attempts', { ...jobWith(), attempts: [] }, 'must be an integer, not an array'],
    [
      `${request}/assets/0`,
      jobWith({ assets: ['a.jpg'] as object as [] }),
      'must be an object, not a string',
    ],
    [
      '/jobId',
      { ...jobWith(), jobId: '1' },
      'must be 1 to 128 characters of A-Z a-z 0-9 . _ -, not all digits',
    ],
    [
      '/prioritty',
      { ...jobWith(), prioritty: 'low' },
      'unknown property "prioritty"; did you mean "priority"?',
    ],
    [
      `${request}/titles`,
      jobWith({ titles: '' } as object),
      'unknown property "titles"; did you mean "title"?',
    ],
    [
      `${request}/audio/volume`,
      jobWith({ audio: { volume: 1 } as object }),
      'unknown property "volume"; known are music, narration, ducking, loudnessLufs',
    ],
    [
      `${request}/title`,
      jobWith({ title: '☕'.repeat(201) }),
      'must have at most 200 characters; it has 201',
    ],
    [`${request}/steps`, jobWith({ steps: Array(501).fill({}) }), 'must have at most 500 items; it has 501'],
    [
      `${request}/steps/0/durationSeconds`,
      jobWith({ steps: [{ durationSeconds: 0 }] }),
      'must be at least 0.5 and at most 120',
    ],
    [
      `${request}/steps/0/asset`,
      jobWith({ steps: [{ asset: 'x' }] }),
      'no asset has the id "x"; add it to previewRequest.assets',
    ],
    [
      `${request}/steps/0/narration`,
      jobWith({ steps: [{ narration: 'a' }], assets: [imageOf('a')] }),
      'asset "a" has the type image; here it must be audio',
    ],
    [
      `${request}/assets/1/id`,
      jobWith({ assets: [imageOf('a'), imageOf('a')] }),
      'is already the id of /previewRequest/assets/0',
    ],
    [
      `${request}/assets/0`,
      jobWith({ assets: [imageOf('a', {})] }),
      'must have exactly one of url, upload, data, path; it has none',
    ],
    [
      `${request}/assets/0`,
      jobWith({ assets: [imageOf('a', { url: 'http://a', path: 'a' })] }),
      'must have exactly one of url, upload, data, path; it has url and path',
    ],
    [
      `${request}/assets/0/url`,
      jobWith({ assets: [imageOf('a', { url: 'a.jpg' })] }),
      'must be an http:// or https:// URL of at most 2048 characters',
    ],
    [
      `${request}/options/resolution`,
      jobWith({ options: { resolution: '1281x720' } }),
      'must have sides that are even and from 160 to 3840, for example 1280x720; 1281 is not',
    ],
    [
      `${request}/options/resolution`,
      jobWith({ options: { resolution: 'HD' } }),
      'must be WIDTHxHEIGHT in pixels, for example 1280x720; each side even and from 160 to 3840',
    ],
    [
      `${request}/options/brand/color`,
      jobWith({ options: { brand: { color: 'red' } } }),
      'must be a colour as #rrggbb, for example #d9480f',
    ],
    [
      `${request}/steps/0/focus/width`,
      jobWith({ steps: [{ focus: { x: 0.6, y: 0, width: 0.6, height: 1 } }] }),
      'x + width must be at most 1; it is 1.2',
    ],
    [`${request}/title`, jobWith({ title: 'a\u0007' }), 'must not contain the character U+0007'],
  ];

  test.each(cases)('at %s', (pointer, payload, message) => {
    expect(messageAt(pointer, payload)).toBe(message);
  });
});

describe('sizes are limited', () => {
  const dataOf = (bytes: number) => `data:image/png;base64,${Buffer.alloc(bytes).toString('base64')}`;
  const data = '/previewRequest/assets/0/data';

  test('a data: URL may decode to 1 MiB, and to no byte more', () => {
    expect(
      messageAt(data, jobWith({ assets: [imageOf('a', { data: dataOf(MAX_DATA_BYTES) })] })),
    ).toBeUndefined();
    expect(
      messageAt(data, jobWith({ assets: [imageOf('a', { data: dataOf(MAX_DATA_BYTES + 1) })] })),
    ).toMatch(/1 MiB/);
    expect(
      messageAt(data, jobWith({ assets: [imageOf('a', { data: dataOf(8 * MAX_DATA_BYTES) })] })),
    ).toMatch(/1 MiB/);
  });

  test('500 steps and 1000 assets are accepted, one more of each is not', () => {
    const assets = Array.from({ length: 1000 }, (_, i) => imageOf(`a${i}`));
    const steps = assets.slice(0, 500).map(({ id }) => ({ asset: id }));
    expect(validatePreviewPayload(jobWith({ steps, assets })).ok).toBe(true);
    expect(messageAt('/previewRequest/steps', jobWith({ steps: [...steps, {}], assets }))).toMatch(/500/);
    expect(messageAt('/previewRequest/assets', jobWith({ assets: [...assets, imageOf('b')] }))).toMatch(
      /1000/,
    );
  });

  test('a loop full of mistakes is answered with the first 100', () => {
    const result = validatePreviewPayload(jobWith({ steps: Array(500).fill({ motion: 'spin' }) }));
    expect(result.ok ? [] : result.errors).toHaveLength(100);
  });

  test('metadata that is deeper than 64 levels or has more than 100,000 values is refused', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
    expect(validatePreviewPayload(jobWith({ metadata: deep })).ok).toBe(false);
    expect(messageAt('', jobWith({ metadata: { wide: Array(100_000).fill(0) } }))).toMatch(/100000 values/);
  });
});

describe('what is no JSON is refused and never throws', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  // Each level holds the one below it twice: 2^60 values, if every one of them were visited.
  let doubling: unknown = 0;
  for (let i = 0; i < 60; i++) doubling = [doubling, doubling];
  let deep: unknown = [];
  for (let i = 0; i < 100; i++) deep = [deep];
  const shared = { a: [1] };
  const throwing = {
    get title(): string {
      throw new Error('no');
    },
  };
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();

  const cases: [name: string, metadata: unknown, pointer: string][] = [
    ['a cycle', cyclic, '/previewRequest/metadata/self'],
    ['references that multiply', { doubling }, ''],
    ['65 levels', { deep }, `/previewRequest/metadata/deep${'/0'.repeat(61)}`],
    [
      'a mistake behind what is right',
      { shared: [shared, shared], 'a/b~c': [shared, [], Number.NaN] },
      '/previewRequest/metadata/a~1b~0c/2',
    ],
    ['a getter that throws', throwing, ''],
    ['a revoked proxy', proxy, ''],
    ['a BigInt', { n: 1n }, '/previewRequest/metadata/n'],
    ['a function', { f: () => 1 }, '/previewRequest/metadata/f'],
    ['a symbol', { s: Symbol('s') }, '/previewRequest/metadata/s'],
    ['not a number', { n: Number.NaN }, '/previewRequest/metadata/n'],
    ['infinity', { n: [Number.POSITIVE_INFINITY] }, '/previewRequest/metadata/n/0'],
    ['a Date', { d: new Date(0) }, '/previewRequest/metadata/d'],
    ['a Map', { m: new Map() }, '/previewRequest/metadata/m'],
    ['a Buffer', { b: Buffer.from('x') }, '/previewRequest/metadata/b'],
    ['a hole in an array', { a: Array(3) }, '/previewRequest/metadata/a/0'],
    [
      'a name that replaces the prototype',
      JSON.parse('{"__proto__":{}}'),
      '/previewRequest/metadata/__proto__',
    ],
  ];

  test.each(cases)('%s', (_name, metadata, pointer) => {
    const result = validatePreviewPayload({
      ...jobWith(),
      previewRequest: { ...jobWith().previewRequest, metadata },
    });
    expect(result.ok ? undefined : result.errors).toEqual([
      { pointer, message: expect.stringMatching(/\w/) },
    ]);
  });

  test.each([
    ['nothing wrong', '{"a":[1,"x",null,{"b":true}]}'],
    ['64 levels', `${'['.repeat(61)}${']'.repeat(61)}`],
    ['65 levels', `${'['.repeat(62)}${']'.repeat(62)}`],
    ['a name that replaces the prototype', '{"a":{"__proto__":{}}}'],
    ['a number that is infinite', '[1e999]'],
    ['more values than may be', `[${'0,'.repeat(100_000)}0]`],
  ])('of a payload that was parsed the same is said without a copy: %s', (what, text) => {
    const payload = () => ({
      ...jobWith(),
      previewRequest: { ...jobWith().previewRequest, metadata: { deep: JSON.parse(text) } },
    });
    const checked = validateParsedPayload(payload());
    expect(checked).toEqual(validatePreviewPayload(payload()));
    expect(checked.ok).toBe(['nothing wrong', '64 levels'].includes(what));
  });

  test.each([undefined, null, true, 0, '', 1n, Symbol('s'), () => 1, [], new Date()])(
    '%s as the whole payload',
    (payload) => {
      expect(validatePreviewPayload(payload).ok).toBe(false);
    },
  );

  test('a title of 64 million characters', () => {
    expect(messageAt('/previewRequest/title', jobWith({ title: 'x'.repeat(64_000_000) }))).toMatch(
      /64000000/,
    );
  });

  test('any JSON at all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        const result = validatePreviewPayload(payload);
        expect(result.ok || result.errors.length > 0).toBe(true);
      }),
    );
  });

  test('any JavaScript value in place of any part of a job', () => {
    fc.assert(
      fc.property(
        validPayload,
        fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true }),
        fc.nat(),
        (payload, value, n) => {
          const places: object[] = [payload, payload.previewRequest, ...payload.previewRequest.steps];
          const place = places[n % places.length] ?? payload;
          const key = Object.keys(place)[n % Math.max(1, Object.keys(place).length)] ?? 'x';
          Object.assign(place, { [key]: value });
          const result = validatePreviewPayload(payload);
          expect(result.ok || result.errors.length > 0).toBe(true);
        },
      ),
    );
  });
});

describe('the job that is returned', () => {
  test('shares nothing with the payload, so that changing one leaves the other', () => {
    const payload = jobWith({ steps: [{ title: 'before' }], metadata: { tags: ['a'] } });
    const result = validatePreviewPayload(payload);
    Object.assign(payload.previewRequest.steps[0] ?? {}, { title: 'after' });
    expect(result.ok && result.job.previewRequest.steps[0]?.title).toBe('before');
  });

  test('has no defaults filled in', () => {
    const payload = jobWith({ options: {} });
    expect(validatePreviewPayload(payload)).toStrictEqual({ ok: true, job: payload });
  });

  test('leaves out properties that are undefined, as JSON does', () => {
    const result = validatePreviewPayload(jobWith({ title: undefined }));
    expect(result.ok && Object.keys(result.job.previewRequest)).toEqual(['steps', 'assets', 'audio']);
  });

  test('reads each property of the payload once, so that a second answer cannot slip in', () => {
    const answers = ['docs', '../../escape'];
    const payload = Object.defineProperty({ ...jobWith() }, 'projectId', {
      enumerable: true,
      get: () => answers.shift(),
    });
    const result = validatePreviewPayload(payload);
    expect(result.ok && result.job.projectId).toBe('docs');
  });

  test('may have a focus that reaches exactly to the edge, whatever fractions it is made of', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 10_000 }), fc.nat(), (side, n) => {
        const left = n % side;
        const focus = { x: left / side, y: 0, width: (side - left) / side, height: 1 };
        expect(validatePreviewPayload(jobWith({ steps: [{ focus }] })).ok).toBe(true);
      }),
    );
  });

  test('accepts objects without a prototype', () => {
    expect(validatePreviewPayload(Object.assign(Object.create(null), jobWith())).ok).toBe(true);
  });

  test('stays valid and equal when it goes through JSON', () => {
    fc.assert(
      fc.property(validPayload, (payload) => {
        const first = validatePreviewPayload(payload);
        if (!first.ok) expect.fail(JSON.stringify(first.errors));
        // A second time, because JSON has no -0.
        const sent = JSON.parse(JSON.stringify(first.job));
        expect(validatePreviewPayload(sent)).toEqual({ ok: true, job: sent });
      }),
    );
  });
});
