import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../../src/job/parseJson.ts';

/** The mistake as line:column and what was expected there. */
function mistakeIn(text: string): string {
  const parsed = parseJson(text);
  return parsed.ok ? 'valid' : `${parsed.line}:${parsed.column} ${parsed.expected}`;
}

test.each([
  ['', '1:1 a value'],
  ['{"jobId": }', '1:11 a value'],
  ['{\n  "jobId": "a"\n  "dryRun": true\n}', '3:3 , or }'],
  ['{"steps": [1, 2', '1:16 , or ]'],
  ['{"steps": [1, ]}', '1:15 a value'],
  ['{"a": 1,}', '1:9 a property name in double quotes'],
  ["{'a': 1}", '1:2 a property name in double quotes or }'],
  ['{"a" 1}', '1:6 :'],
  ['{"a": 1} x', '1:10 nothing more'],
  ['{"a": undefined}', '1:7 a value'],
  ['{"a": 01}', '1:8 , or }'],
  ['{"a": "b', '1:9 the closing " of a string'],
  ['{"a": "\\x"}', '1:8 an escape like \\n or \\u00e9'],
  ['{"a": "b\nc"}', '1:9 an escape instead of a raw control character'],
])('%j: at %s', (text, mistake) => {
  expect(mistakeIn(text)).toBe(mistake);
});

test('what JSON.parse takes is taken, as it is', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

test('text of which nothing can be made is refused with a place, at whichever character it was broken', () => {
  const broken = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\u0001', 'x', '-', ''),
    )
    .map(([text, at, put]) => text.slice(0, at % (text.length + 1)) + put)
    .filter((text) => {
      try {
        JSON.parse(text);
        return false;
      } catch {
        return true;
      }
    });
  fc.assert(
    fc.property(broken, (text) => {
      expect(mistakeIn(text)).toMatch(/^\d+:\d+ \S/);
    }),
    { numRuns: 500 },
  );
});

test('brackets as deep as a body is long are no trouble', () => {
  expect(mistakeIn('['.repeat(1e6))).toBe('1:1000001 a value or ]');
});

test('a mistake behind eight megabytes is found at once', () => {
  const text = `{"data": "${'x'.repeat(8e6)}", }`;
  const started = performance.now();
  expect(mistakeIn(text)).toBe(`1:${text.length} a property name in double quotes`);
  expect(performance.now() - started).toBeLessThan(2000);
});
