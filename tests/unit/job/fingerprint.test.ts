import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/job/canonicalJson.ts';
import { fingerprint } from '../../../src/job/fingerprint.ts';
import type { PreviewJob } from '../../../src/job/previewJob.types.ts';
import { imageOf, jobWith, validPayload } from './jobs.ts';

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('the fingerprint of a job', () => {
  const job: PreviewJob = {
    ...jobWith({
      title: 'Title',
      steps: [{ title: 'One', text: 'Two' }],
      assets: [imageOf('photo')],
      metadata: { tags: ['a', 'b'] },
    }),
    priority: 'high',
  };

  test('stays what it is from version to version, because records keep it', () => {
    const canonical =
      '{"dryRun":false,"jobId":"intro","previewRequest":{"assets":[],"audio":{},"steps":[]},"projectId":"docs"}';
    expect(fingerprint(jobWith())).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(validPayload, (payload) => {
        expect(fingerprint(reversed(payload) as PreviewJob)).toBe(fingerprint(payload));
      }),
    );
  });

  test('does not depend on what a sender writes anew each time it sends', () => {
    const again = {
      ...job,
      requestId: 'r-2',
      attempts: 3,
      createdAt: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-02T00:00:00Z',
    };
    expect(fingerprint(again)).toBe(fingerprint(job));
  });

  test('changes when any word changes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== other);
        for (const words of ['title', 'description'] as const) {
          expect(fingerprint(jobWith({ [words]: one }))).not.toBe(fingerprint(jobWith({ [words]: other })));
        }
        for (const words of ['title', 'text', 'alt'] as const) {
          expect(fingerprint(jobWith({ steps: [{ [words]: one }] }))).not.toBe(
            fingerprint(jobWith({ steps: [{ [words]: other }] })),
          );
        }
      }),
    );
  });

  test.each<[string, PreviewJob]>([
    ['jobId', { ...job, jobId: 'other' }],
    ['projectId', { ...job, projectId: 'other' }],
    ['dryRun', { ...job, dryRun: true }],
    ['priority', { ...job, priority: 'low' }],
    ['webhook', { ...job, webhook: { url: 'https://example.org/' } }],
    ['supersedes', { ...job, supersedes: 'board' }],
    ['options', { ...job, previewRequest: { ...job.previewRequest, options: { fps: 25 } } }],
    ['metadata', { ...job, previewRequest: { ...job.previewRequest, metadata: { tags: ['b', 'a'] } } }],
  ])('changes with %s', (_field, other) => {
    expect(fingerprint(other)).not.toBe(fingerprint(job));
  });
});

describe('canonical JSON', () => {
  test('sorts keys by UTF-16 code units at every depth and has no white space', () => {
    // The keys of RFC 8785, section 3.2.3, in the order that it prescribes.
    const sorted = ['\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33'];
    const value = Object.fromEntries([...sorted].reverse().map((key) => [key, { b: 1, a: [] }]));
    expect(canonicalJson(value)).toBe(
      `{${sorted.map((key) => `${JSON.stringify(key)}:{"a":[],"b":1}`).join(',')}}`,
    );
  });

  test('leaves out undefined properties and writes undefined items as null', () => {
    expect(canonicalJson({ a: undefined, b: [undefined, 1] })).toBe('{"b":[null,1]}');
  });

  test('has half a surrogate pair, which metadata may hold, as an escape', () => {
    expect(canonicalJson({ '\udc00': 'a\ud800' })).toBe('{"\\udc00":"a\\ud800"}');
  });

  test('means the same as the value that it was made from', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
