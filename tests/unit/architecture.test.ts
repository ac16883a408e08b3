import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../src');
const PAGE = readFileSync(join(ROOT, '../docs/architecture.md'), 'utf8');

/** Files at the top of src/ that belong to a room; the others are the ground on which all rooms stand. */
const OF_ROOMS: Record<string, string> = { 'cli.ts': 'cli', 'app.ts': 'app', 'index.ts': 'app' };

const roomOf = (path: string): string => {
  const [top = ''] = relative(ROOT, path).split('/');
  return OF_ROOMS[top] ?? (top.endsWith('.ts') ? 'ground' : top);
};

/** The picture of the rooms in docs/architecture.md. */
const arrows = [...PAGE.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from = '', to = '']) => ({ from, to }));

/** The rooms from which a room may import: those that its arrows lead to, and the ground. */
function reachable(room: string): Set<string> {
  const found = new Set(['ground']);
  const follow = (from: string): void => {
    for (const arrow of arrows) {
      if (arrow.from !== from || found.has(arrow.to)) continue;
      found.add(arrow.to);
      follow(arrow.to);
    }
  };
  follow(room);
  return found;
}

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
    const [room, other] = [roomOf(path), roomOf(resolve(path, '..', target))];
    if (room !== other) expect([...reachable(room)], what).toContain(other);
    else if (from === to && inner !== innerTo) {
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

describe('docs/architecture.md', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());

  it('draws and describes every room, and no other', () => {
    const rooms = folders.map(({ name }) => name).sort();
    const drawn = new Set(arrows.flatMap(({ from, to }) => [from, to]));
    expect([...drawn].sort()).toEqual([...rooms, 'ground'].sort());
    const described = [...PAGE.matchAll(/^\| `(\w+)` \| .* \| .* \|$/gm)].map(([, room]) => room);
    expect(described.sort()).toEqual(rooms);
  });

  it('has no arrow that no import takes', () => {
    const taken = new Set<string>();
    for (const file of files) {
      const path = join(ROOT, file);
      for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g))
        taken.add(`${roomOf(path)} --> ${roomOf(resolve(path, '..', target))}`);
    }
    for (const { from, to } of arrows) expect([...taken]).toContain(`${from} --> ${to}`);
  });

  it('follows a job in at most twenty lines, each of which names a file that is there', () => {
    const lines = PAGE.match(/^\d+\. .*$/gm) ?? [];
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.length).toBeLessThanOrEqual(20);
    for (const line of lines) expect(files, line).toContain(/^\d+\. `([^`]+)`/.exec(line)?.[1]);
  });

  it('names doors and inner rooms that are there', () => {
    const rows = [...PAGE.matchAll(/^\| `(\w+)` \| (.*) \| (.*) \|$/gm)];
    for (const [, room = '', what = '', door = ''] of rows) {
      for (const [, file = ''] of door.matchAll(/`([^`]+)`/g)) expect(files).toContain(file);
      for (const [, inner = ''] of what.matchAll(/`([^`]+)`/g))
        expect(existsSync(join(ROOT, room, inner)), `${room}/${inner}`).toBe(true);
    }
  });
});
