import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import { type Finding, findingsOf } from './doctor/finding.ts';
import { findLimits, readLimits } from './doctor/limitFindings.ts';
import { findMedia } from './doctor/mediaFindings.ts';
import { findQueue } from './doctor/queueFindings.ts';
import { findStore } from './doctor/storeFindings.ts';
import { EXIT } from './exit.ts';

const { ok, warn, fail } = findingsOf('config');

/**
 * Checks everything that the service needs, where it would run, and says what to do about each problem. The exit code is 1
 * if something keeps it from working.
 * @param load reads the configuration
 */
export async function doctor({ json = false }: { json?: boolean }, load: () => Config): Promise<void> {
  const findings = await examine(load);
  const fails = findings.filter(({ status }) => status === 'fail').length;
  if (json) console.log(JSON.stringify({ ok: fails === 0, findings }, null, 2));
  else print(findings, fails);
  if (fails > 0) process.exitCode = EXIT.failed;
}

async function examine(load: () => Config): Promise<Finding[]> {
  const { findings, config } = findConfig(load);
  // Without valid settings nothing else can be checked.
  if (!config) return findings;
  const limits = findLimits(config, await readLimits());
  const found = [await findQueue(config), await findStore(config), await findMedia(config)];
  return [...findings, ...found.flat(), ...limits];
}

function findConfig(load: () => Config): { findings: Finding[]; config?: Config } {
  const node = findNode();
  try {
    const config = load();
    return { config, findings: [node, ok('The settings can be read.'), ...findKeys(config)] };
  } catch (error) {
    if (!(error instanceof PreviewError)) throw error;
    const problems = error.message.split('\n').filter((line) => !line.startsWith('See '));
    const advice = 'Correct it (see docs/configuration.md) and run this again. Nothing else was checked.';
    return { findings: [node, ...problems.map((problem) => fail(`${problem}.`, advice))] };
  }
}

/** The version that package.json asks for. */
function findNode(): Finding {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    engines: { node: string };
  };
  const oldest = engines.node.replace('>=', '');
  const order = process.versions.node.localeCompare(oldest, undefined, { numeric: true });
  if (order >= 0) return ok(`Node.js is ${process.version}.`);
  return fail(`Node.js is ${process.version}.`, `Use ${oldest} or newer.`);
}

function findKeys({ apiKeys, signingKeys, redisUrl, storeUrl }: Config): Finding[] {
  const findings: Finding[] = [];
  if (apiKeys.length === 0) {
    findings.push(
      warn(
        'There are no API keys: anybody who reaches the port may send jobs.',
        'Set PREVIEW_API_KEYS before other machines can reach the port.',
      ),
    );
  }
  if (signingKeys.length === 0 && (redisUrl || storeUrl)) {
    findings.push(
      warn(
        'PREVIEW_SIGNING_KEYS is not set: the API makes a key and keeps it in DATA_DIR.',
        'Set it if API processes do not share DATA_DIR. Otherwise one refuses the URLs that another has signed.',
      ),
    );
  }
  return findings;
}

const MARKS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;

function print(findings: readonly Finding[], fails: number): void {
  for (const { subject, status, message, advice } of findings) {
    console.log(`${MARKS[status]}  ${subject.padEnd(6)}  ${message}`);
    if (advice) console.log(`${' '.repeat(14)}→ ${advice}`);
  }
  const warnings = findings.filter(({ status }) => status === 'warn').length;
  const last =
    fails > 0
      ? `${fails} ${fails === 1 ? 'problem' : 'problems'} to solve before the service can work`
      : 'The service can work here';
  console.log(`\n${last}${warnings > 0 ? `; ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : ''}.`);
}
