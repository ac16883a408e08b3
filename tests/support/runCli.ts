import { spawn } from 'node:child_process';
import { CLI } from './processes.ts';
import { keepSecretsOf, suiteLog } from './suiteLog.ts';

/** The real command line in a process of its own, to its end. */
export async function runCli(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    printed.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.err += chunk;
  });
  keepSecretsOf({ ...env, DATA_DIR: undefined });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  suiteLog('cli').write(printed.out + printed.err);
  return { code, ...printed };
}
