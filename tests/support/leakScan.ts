import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A secret that was found where it must not be. */
export interface Leak {
  what: string;
  file: string;
  line: number;
}

/** Looks for each of the secrets in all that was said. */
export function findLeaks(folder: string): Leak[] {
  const names = readdirSync(folder);
  if (!names.includes('secrets')) return [];
  const secrets = new Map(
    readFileSync(join(folder, 'secrets'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { what: string; secret: string })
      .map(({ what, secret }) => [secret, what]),
  );
  const leaks: Leak[] = [];
  for (const file of names.filter((name) => name.endsWith('.log'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [secret, what] of secrets) {
      const at = text.indexOf(secret);
      if (at >= 0) leaks.push({ what, file, line: text.slice(0, at).split('\n').length });
    }
  }
  return leaks;
}

/** Runs around the whole suite: a secret in a log fails it, as a failed test does. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'preview-suite-logs-'));
  process.env.PREVIEW_TEST_LOGS = folder;
  return () => {
    const leaks = findLeaks(folder);
    if (leaks.length === 0) return rmSync(folder, { recursive: true });
    const places = leaks.map(({ what, file, line }) => `${what} in line ${line} of ${join(folder, file)}`);
    // vitest prints what a teardown throws, and calls the suite a success all the same.
    process.exitCode = 1;
    throw new Error(`The suite's logs show secrets:\n${places.join('\n')}`);
  };
}
