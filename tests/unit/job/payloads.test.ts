import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { validatePreviewPayload } from '../../../src/job/validatePreviewPayload.ts';

/** Every file in tests/payloads/ is a case; adding one needs no change here. */
const payloads = new URL('../../payloads/', import.meta.url);

interface InvalidCase {
  why: string;
  pointers: string[];
  payload: unknown;
}

function cases<T>(folder: 'valid' | 'invalid'): { name: string; content: T }[] {
  const files = new URL(`${folder}/`, payloads);
  return readdirSync(files)
    .sort()
    .map((file) => ({
      name: file.replace('.json', ''),
      content: JSON.parse(readFileSync(new URL(file, files), 'utf8')),
    }));
}

describe('a valid payload is accepted and returned as it was sent', () => {
  test.each(cases('valid'))('$name', ({ content }) => {
    expect(validatePreviewPayload(content)).toEqual({ ok: true, job: content });
  });
});

describe('an invalid payload is refused with a pointer to each mistake, and no other', () => {
  test.each(cases<InvalidCase>('invalid'))('$name: $content.why', ({ content: { pointers, payload } }) => {
    const result = validatePreviewPayload(payload);
    const found = result.ok ? [] : result.errors.map(({ pointer }) => pointer);
    expect(found.sort()).toEqual([...pointers].sort());
    expect(found).not.toHaveLength(0);
  });
});

test('the table has at least 60 payloads', () => {
  expect(cases('valid').length + cases('invalid').length).toBeGreaterThanOrEqual(60);
});
