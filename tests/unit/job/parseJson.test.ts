import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../../../src/job/parseJson.ts';

const refusalOf = (text: string): string => {
  try {
    parseJson(text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_json' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the text was accepted');
};

test.each([
  ['', 'a value was expected at the end'],
  ['{"jobId": }', 'a value was expected at line 1, column 11'],
  ['{\n  "jobId": "a"\n  "dryRun": true\n}', ', or } was expected at line 3, column 3'],
  ['{"steps": [1, 2', ', or ] was expected at the end'],
  ['{"steps": [1, ]}', 'a value was expected at line 1, column 15'],
  ['{"a": 1,}', 'a property name in double quotes was expected at line 1, column 9'],
  ["{'a': 1}", 'a property name in double quotes or } was expected at line 1, column 2'],
  ['{"a" 1}', ': was expected at line 1, column 6'],
  ['{"a": 1} x', 'nothing more was expected at line 1, column 10'],
  ['{"a": undefined}', 'a value was expected at line 1, column 7'],
  ['{"a": 01}', ', or } was expected at line 1, column 8'],
  ['{"a": "b', 'the closing " of a string was expected at the end'],
  ['{"a": "\\x"}', 'an escape like \\n or \\u00e9 was expected at line 1, column 8'],
  ['{"a": "b\nc"}', 'an escape instead of a raw control character was expected at line 1, column 9'],
])('%j is refused: %s', (text, sentence) => {
  expect(refusalOf(text)).toBe(`Not valid JSON: ${sentence}.`);
});

test('what JSON.parse takes is taken, as it is', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
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
      expect(refusalOf(text)).toMatch(
        /^Not valid JSON: .+ was expected at (the end|line \d+, column \d+)\.$/,
      );
    }),
    { numRuns: 500 },
  );
});

test('a mistake behind eight megabytes is found at once', () => {
  const text = `{"data": "${'x'.repeat(8e6)}", }`;
  const started = performance.now();
  expect(refusalOf(text)).toContain(`column ${text.length}`);
  expect(performance.now() - started).toBeLessThan(2000);
});
