import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../src');
/** A room may import from rooms of a lower rank, and from its own. */
const RANKS: Record<string, number> = {
  'cli.ts': 6,
  cli: 6,
  'app.ts': 5,
  app: 5,
  'index.ts': 5,
  api: 4,
  worker: 3,
  queue: 2,
  render: 2,
  assets: 1,
  media: 1,
  storage: 1,
  concurrency: 0,
  job: 0,
  'apiKey.ts': 0,
  'config.ts': 0,
  'configValues.ts': 0,
  'errors.ts': 0,
  'logger.ts': 0,
  'tracing.ts': 0,
  'version.ts': 0,
};

/** The same for rooms within a room; what stands at its top is the door, or what they have in common. */
const WITHIN: Record<string, Record<string, number>> = {
  api: { http: 0, files: 1, jobs: 1, pages: 2, operators: 2, streams: 3 },
  storage: { folder: 0, bucket: 0, signedUrls: 1, upkeep: 1 },
};

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const roomsOf = (path: string): string[] => relative(ROOT, path).split('/');

it.each(files)('%s imports from its own room or from below', (file) => {
  const path = join(ROOT, file);
  const source = readFileSync(path, 'utf8');
  for (const [, target = ''] of source.matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
    const [from = '', inner = ''] = roomsOf(path);
    const [to = '', innerTo = ''] = roomsOf(resolve(path, '..', target));
    const what = `${file} imports ${target}`;
    if (from !== to) {
      expect(RANKS[to], what).toBeLessThanOrEqual(RANKS[from] ?? -1);
    } else if (inner !== innerTo) {
      const ranks = WITHIN[from] ?? {};
      expect(ranks[innerTo] ?? -1, what).toBeLessThan(ranks[inner] ?? Number.POSITIVE_INFINITY);
    }
  }
  if (!file.startsWith('media/')) expect(source).not.toMatch(/from '(sharp|node-av)/);
  if (file !== 'config.ts' && file !== 'cli.ts' && file !== 'cli/runUntilSignal.ts')
    expect(source).not.toContain('process.env');
});

/** The way of a render; each of its rooms may import from those before it. */
const RENDER_ROOMS = [
  'timeline',
  'parts',
  'plan',
  'slides',
  'shown',
  'sound',
  'pictures',
  'texts',
  'segments',
  'movie',
];

it.each(files.filter((file) => /^render\/[^/]+\//.test(file)))('%s goes the way of a render', (file) => {
  const rankOf = (path: string): number => RENDER_ROOMS.indexOf(path.split('/')[1] ?? '');
  const source = readFileSync(join(ROOT, file), 'utf8');
  expect(rankOf(file)).toBeGreaterThanOrEqual(0);
  for (const [, target = ''] of source.matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
    const imported = relative(ROOT, resolve(ROOT, file, '..', target));
    if (/^render\/[^/]+\//.test(imported))
      expect(rankOf(imported), `${file} imports ${target}`).toBeLessThanOrEqual(rankOf(file));
  }
});
