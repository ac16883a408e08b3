/**
 * Tests run what was built, as it is shipped: what they import from src/ comes from dist/, and what they start as a process
 * is JavaScript. Nothing is compiled when a process starts, render processes run confined, and sound has its thread.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { extract } from 'tar';
import { type Plugin, transformWithOxc } from 'vite';
import { NEW_DATABASE } from './placeDatabase.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src/');
const DIST = join(ROOT, 'dist/');
/** As deep as this folder, so that what is found relative to a module is found from both. */
const HELPERS = join(ROOT, 'tests/.built');

/** Leads imports of src/ to dist/. */
export const importBuilt: Plugin = {
  name: 'import-built',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!importer || !source.startsWith('.')) return undefined;
    const path = resolve(dirname(importer), source);
    return path.startsWith(SRC) ? builtFrom(path) : undefined;
  },
};

/** The modules that Node.js is to load by itself, untouched. */
export const BUILT_MODULES = new RegExp(`^${DIST.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);

const builtFrom = (source: string): string => DIST + source.slice(SRC.length).replace(/\.ts$/, '.js');

/** Runs before the suite: compiles what has changed since the last build, and what the tests start as processes. */
export default async function setup(): Promise<void> {
  if (!existsSync(join(DIST, 'studio')))
    throw new Error('Tests run what is built: run `npm run build` once.');
  const builtAt = statSync(join(DIST, 'cli.js')).mtimeMs;
  const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).map((name) => join(SRC, name));
  if (sources.some((file) => statSync(file).mtimeMs > builtAt)) compileSources();
  mkdirSync(HELPERS, { recursive: true });
  for (const name of readdirSync(import.meta.dirname))
    if (/(?<!\.d)\.ts$/.test(name)) await compileHelper(name);
  await unpackDatabase();
}

function compileSources(): void {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('src/ does not compile.');
}

/** By its own name beside the others, with the imports of src/ led to dist/. */
async function compileHelper(name: string): Promise<void> {
  const path = join(import.meta.dirname, name);
  const { code } = await transformWithOxc(readFileSync(path, 'utf8'), path, { sourcemap: false });
  const led = code.replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, (_, quote: string, target: string) => {
    return `${quote}${target.replace('../../src/', '../../dist/')}.js${quote}`;
  });
  const built = join(HELPERS, name.replace(/\.ts$/, '.js'));
  if (existsSync(built) && readFileSync(built, 'utf8') === led) return;
  // Another run may be starting it at the moment.
  writeFileSync(`${built}.${process.pid}`, led);
  renameSync(`${built}.${process.pid}`, built);
}

/** What {@link placeDatabase} copies. */
async function unpackDatabase(): Promise<void> {
  const [name] = readdirSync(join(ROOT, 'database')).filter((file) => file.endsWith('.tar.gz'));
  const file = join(ROOT, 'database', name ?? '');
  if (existsSync(NEW_DATABASE) && statSync(NEW_DATABASE).ctimeMs > statSync(file).mtimeMs) return;
  const cwd = mkdtempSync(`${NEW_DATABASE}-`);
  await extract({ file, cwd });
  rmSync(NEW_DATABASE, { recursive: true, force: true });
  renameSync(cwd, NEW_DATABASE);
}
