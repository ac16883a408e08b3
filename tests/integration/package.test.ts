import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
let installed: string;

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'preview-package-'));
  run('npm', ['pack', '--silent', '--pack-destination', folder], process.cwd());
  run('sh', ['-c', 'tar xzf *.tgz'], folder);
  installed = join(folder, 'node_modules', 'preview-worker');
  mkdirSync(join(folder, 'node_modules'));
  renameSync(join(folder, 'package'), installed);
  // Its dependencies are the ones of this checkout; what is tested is what the package itself brings.
  symlinkSync(resolve('node_modules'), join(installed, 'node_modules'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('exports the client, the validator and the schema to other programs', () => {
    const program = `
      import { connectPreviewWorker, validatePreviewPayload } from 'preview-worker';
      import schema from 'preview-worker/schema' with { type: 'json' };
      console.log(typeof connectPreviewWorker, validatePreviewPayload({}).ok, schema.title);
    `;
    const printed = run('node', ['--no-warnings', '--input-type=module', '-e', program], folder);
    expect(printed.trim()).toMatch(/^function false \S/);
  });

  it('brings its types', () => {
    expect(existsSync(join(installed, 'dist/index.d.ts'))).toBe(true);
  });

  it('renders with its own command and its own example', () => {
    const bin = join(installed, 'dist/cli.js');
    expect(run('node', [bin, '--version'], folder).trim()).toMatch(/^\d+\.\d+\.\d+/);
    const job = join(installed, 'examples/pour-over-coffee/job.json');
    run('node', [bin, 'render', job, '--out', join(folder, 'out')], folder);
    expect(existsSync(join(folder, 'out/preview.mp4'))).toBe(true);
  });

  it('brings a new database of the embedded queue, for the version of PGlite that it works with', () => {
    const { version } = JSON.parse(readFileSync('node_modules/@electric-sql/pglite/package.json', 'utf8'));
    expect(readdirSync(join(installed, 'database'))).toEqual([`pglite-${version}.tar.gz`]);
  });

  it('brings nothing that is only for those who work on it', () => {
    for (const name of ['src', 'tests', 'bench', '.ci', '.github', 'node_modules/.bin/none']) {
      expect(existsSync(join(installed, name)), name).toBe(false);
    }
  });
});
