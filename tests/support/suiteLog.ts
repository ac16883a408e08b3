import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What the services of the suite say, and the secrets that the tests use, in one folder: when all tests are over, one is
 * looked for in the other, see leakScan.ts.
 */

/** Where leakScan.ts collects; undefined where a test runs without it. */
const folder = process.env.PREVIEW_TEST_LOGS;

/** Something that no log, error, metric or description may show. */
export function keepSecret(what: string, secret: string): void {
  // What is shorter stands in many a line by chance.
  if (folder && secret.length >= 8) {
    appendFileSync(join(folder, 'secrets'), `${JSON.stringify({ what, secret })}\n`);
  }
}

/** Takes the secrets out of the variables that a service is started with. */
export function keepSecretsOf(env: Readonly<Record<string, string | undefined>>): void {
  for (const name of ['PREVIEW_API_KEYS', 'PREVIEW_SIGNING_KEYS', 'PREVIEW_WEBHOOK_SECRETS']) {
    for (const entry of env[name]?.split(',') ?? []) {
      const [, secret = ''] = /^[^:@]+:(.+)$/.exec(entry) ?? [];
      keepSecret(name, secret);
    }
  }
  if (env.PREVIEW_API_KEY) keepSecret('PREVIEW_API_KEY', env.PREVIEW_API_KEY);
  if (env.DATA_DIR) keepSecret('DATA_DIR', env.DATA_DIR);
}

/** Where a service writes what it says. */
export const suiteLog = (name: string) => ({
  write(line: string): void {
    if (folder)
      appendFileSync(join(folder, `${name}-${process.pid}.log`), line.endsWith('\n') ? line : `${line}\n`);
  },
});
