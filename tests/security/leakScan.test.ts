import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A suite of one test, whose service says something, under the same scan as this suite. */
describe('the scan of what the suite has said', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preview-leak-'));
    const support = (name: string): string =>
      JSON.stringify(resolve(import.meta.dirname, '../support', name));
    const config = { test: { include: ['*.test.mjs'], globalSetup: [JSON.parse(support('leakScan.ts'))] } };
    await writeFile(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};`);
    await writeFile(
      join(folder, 'one.test.mjs'),
      `import { test } from ${JSON.stringify(import.meta.resolve('vitest'))};
       import { keepSecret, suiteLog } from ${support('suiteLog.ts')};
       test('a service that says something', () => {
         keepSecret('a key', 'hunter2-hunter2');
         suiteLog('service').write(process.env.SAID);
       });`,
    );
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function runSuite(said: string): Promise<{ code: number | null; out: string }> {
    const vitest = resolve('node_modules/vitest/vitest.mjs');
    const env = { PATH: process.env.PATH, SAID: said, TMPDIR: folder };
    const child = spawn(process.execPath, [vitest, 'run', '--root', folder], { env });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out };
  }

  test('fails a suite that has shown a secret, though its tests pass', async () => {
    const { code, out } = await runSuite('first\nthe key hunter2-hunter2 is good\n');
    expect(out).toContain('1 passed');
    expect(out).toMatch(/The suite's logs show secrets:\s+a key in line 2 of .*service-\d+\.log/);
    expect(out).not.toContain('hunter2-hunter2');
    expect(code).not.toBe(0);
  });

  test('lets one pass that has not', async () => {
    const { code, out } = await runSuite('the key [redacted] is good\n');
    expect(out).toContain('1 passed');
    expect(code).toBe(0);
  });
});
