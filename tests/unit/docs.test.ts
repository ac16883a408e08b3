import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

describe('docs/testing.md', () => {
  const ROOT = join(import.meta.dirname, '../..');
  const page = read('testing.md');
  const promises = [...page.slice(page.indexOf('\n### ')).matchAll(/^\| (?!promise|---)(.+) \|$/gm)].map(
    ([, row = '']) => row.split(' | '),
  );
  const proved = promises.filter(([, file]) => file !== 'none');

  test.each(proved)('leads to a test that is there: %s', (_promise, file = '', name = '') => {
    const source = readFileSync(join(ROOT, 'tests', file.slice(1, -1)), 'utf8').replaceAll("\\'", "'");
    expect(source).toContain(/^`(.+)`$/.exec(name)?.[1] ?? name);
  });

  test('has three cells in each row, and few rows without a test', () => {
    for (const row of promises) expect(row, row[0]).toHaveLength(3);
    expect(proved.length).toBeGreaterThan(0.85 * promises.length);
  });

  test('has a table for the README and for each page', () => {
    const tables = [...page.matchAll(/^### \[(.+)\]\(.+\)$/gm)].map(([, name]) => name);
    const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    const promising = pages.filter((name) => !['architecture.md', 'testing.md'].includes(name));
    expect(tables.sort()).toEqual([...promising, 'README.md'].sort());
  });

  test('links to files that are there', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)#:]+)\)/g))
      expect(existsSync(join(ROOT, 'docs', target)), target).toBe(true);
  });
});
