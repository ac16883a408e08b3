import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { settings } from '../../src/config.ts';
import { catalogue } from '../../src/errors.ts';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

/** The cells of each table row whose first cell is a code span. */
const rows = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\| (`.*) \|$/gm)].map(([, row = '']) => row.split(' | '));

describe('docs/configuration.md', () => {
  test('lists exactly the variables that the service reads, with their defaults and meanings', () => {
    const expected = Object.values(settings).map(({ name, fallback, fallbackInWords, description }) => [
      `\`${name}\``,
      fallbackInWords ?? `\`${fallback}\``,
      description,
    ]);
    expect(rows(read('configuration.md'))).toEqual(expected);
  });
});

describe('docs/errors.md', () => {
  const documented = rows(read('errors.md'));

  test('lists exactly the codes of the catalogue, with status and whether a retry can help', () => {
    const expected = Object.entries(catalogue).map(([code, { status, retryable }]) => [
      `\`${code}\``,
      String(status),
      retryable ? 'yes' : 'no',
    ]);
    expect(documented.map((cells) => cells.slice(0, 3))).toEqual(expected);
  });

  test.each(documented)('says of %s what it means and what to do', (...cells) => {
    expect(cells).toHaveLength(5);
    for (const sentence of cells.slice(3)) expect(sentence).toMatch(/\.$/);
  });
});
