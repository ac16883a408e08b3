import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { freePort } from '../../tests/support/redis.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEPLOY = join(ROOT, 'deploy');

/** One machine with the service on it, and Prometheus that watches it, all on loopback. */
export interface Stage {
  /** Types a command into a shell, and prints it with what it answers. @returns the answer */
  type(command: string): string;
  /** The same without a word. */
  quietly(command: string): string;
  /** Prints a sentence. */
  say(text: string): void;
  /** Waits until the alert fires, and prints what it says. */
  fires(alert: string): Promise<void>;
  /** Waits until it does not any more. */
  ends(alert: string): Promise<void>;
  firing(): Promise<string[]>;
  /** Prints what a panel of the dashboards shows now. */
  shows(panel: string): Promise<void>;
  api(path: string, init?: RequestInit): Promise<Response>;
  /** Waits until `ask` answers something. */
  until<Answer>(what: string, ask: () => Promise<Answer | undefined> | Answer | undefined): Promise<Answer>;
  stop(): Promise<void>;
}

const SECONDS = 90;

export async function openStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-drill-'));
  const [redis, api, a, b, prometheus] = await Promise.all(Array.from({ length: 5 }, freePort));
  const env: Record<string, string> = {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    REDIS_URL: `redis://127.0.0.1:${redis}`,
    REDIS_PORT: String(redis),
    PROMETHEUS_PORT: String(prometheus),
    API: `http://127.0.0.1:${api}`,
    PROMETHEUS: `http://127.0.0.1:${prometheus}`,
    KEY: 'first-key-of-the-drill-0001',
    DATA_DIR: join(folder, 'data'),
    PORT: String(api),
    PORT_A: String(a),
    PORT_B: String(b),
    PREVIEW_API_KEYS: '@keys',
    PREVIEW_SIGNING_KEYS: '@signing-keys',
    PREVIEW_WORKER_CONCURRENCY: '1',
    PREVIEW_QUEUE_MAX: '10',
    PREVIEW_SHUTDOWN_GRACE_SECONDS: '10',
    LOG_FORMAT: 'json',
  };
  await mkdir(join(folder, 'bin'));
  await mkdir(env.DATA_DIR as string);
  const binary = join(folder, 'bin/preview-worker');
  await writeFile(binary, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/cli.js')}" "$@"\n`);
  await chmod(binary, 0o755);
  await writeFile(join(folder, 'keys'), `docs:${env.KEY}\n`);
  await writeFile(join(folder, 'signing-keys'), `k1:${'first-signing-secret-'.repeat(2)}\n`);
  await writeFile(
    join(folder, 'rules.yml'),
    hurried(readFileSync(join(DEPLOY, 'prometheus/rules.yml'), 'utf8')),
  );
  await writeFile(
    join(folder, 'prometheus.json'),
    JSON.stringify(scraping({ 'preview-api': [api], 'preview-worker': [a, b] })),
  );
  const mounted =
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=192m', 'tmpfs', env.DATA_DIR as string]).status === 0;

  const run = (command: string): string => {
    const { stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return (stdout + stderr).replaceAll(folder, '.').trimEnd();
  };
  const query = async (path: string): Promise<{ data: Record<string, unknown> }> =>
    (await (await fetch(`${env.PROMETHEUS}/api/v1/${path}`)).json()) as { data: Record<string, unknown> };
  const alerts = async (): Promise<Alert[]> => (await query('alerts')).data.alerts as Alert[];
  const firing = async (): Promise<Alert[]> => (await alerts()).filter(({ state }) => state === 'firing');
  const until: Stage['until'] = async (what, ask) => {
    const deadline = Date.now() + SECONDS * 1000;
    while (Date.now() < deadline) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await sleep(100);
    }
    throw new Error(`${what} did not happen within ${SECONDS} s`);
  };

  const stage: Stage = {
    type(command) {
      console.log(`$ ${command}`);
      const answer = run(command);
      if (answer) console.log(answer);
      return answer;
    },
    quietly: run,
    say: (text) => console.log(`\n${text}\n`),
    async fires(alert) {
      const since = Date.now();
      const { labels, annotations } = await until(`alert ${alert}`, async () =>
        (await firing()).find(({ labels }) => labels.alertname === alert),
      );
      const seconds = Math.round((Date.now() - since) / 1000);
      console.log(`ALERT ${alert} (${labels.severity}), ${seconds} s later: ${annotations.summary}`);
      console.log(`      ${annotations.runbook}`);
    },
    async ends(alert) {
      await until(`the end of alert ${alert}`, async () =>
        (await firing()).some(({ labels }) => labels.alertname === alert) ? undefined : true,
      );
      console.log(`ENDED ${alert}`);
    },
    firing: async () => (await firing()).map(({ labels }) => String(labels.alertname)),
    async shows(panel) {
      const expr = expressionOf(panel).replaceAll('$__rate_interval', '30s');
      const { data } = await query(`query?${new URLSearchParams({ query: expr })}`);
      const series = data.result as { metric: Record<string, string>; value: [number, string] }[];
      const shown = series.map(({ metric, value }) => {
        const labels = Object.entries(metric).filter(([name]) => !name.startsWith('__'));
        const of = labels.map(([name, label]) => `${name}=${label}`).join(' ');
        return `${of ? `${of}: ` : ''}${Number(Number(value[1]).toPrecision(3))}`;
      });
      console.log(`PANEL "${panel}": ${shown.join('; ') || 'no data'}`);
    },
    api: (path, init = {}) =>
      fetch(`${env.API}${path}`, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${env.KEY}` },
      }),
    until,
    async stop() {
      for (const name of readdirSync(folder).filter((file) => file.endsWith('.pid'))) {
        const pid = Number(await readFile(join(folder, name), 'utf8'));
        await endOf(pid);
      }
      if (mounted) spawnSync('umount', [env.DATA_DIR as string]);
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
  return stage;
}

interface Alert {
  state: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** The rules with seconds in place of minutes, so that nobody waits; what they ask stays the same. */
function hurried(rules: string): string {
  return rules
    .replace(/for: \d+m/g, 'for: 3s')
    .replace(/\[(5m|30m|1h|6h)\]/g, '[30s]')
    .replace(/offset 15m/g, 'offset 20s');
}

function scraping(ports: Record<string, (number | undefined)[]>): object {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yml'],
    scrape_configs: Object.entries(ports).map(([job_name, targets]) => ({
      job_name,
      static_configs: [{ targets: targets.map((port) => `127.0.0.1:${port}`) }],
    })),
  };
}

/** The query behind a panel of either dashboard. */
function expressionOf(title: string): string {
  for (const file of readdirSync(join(DEPLOY, 'grafana/dashboards'))) {
    const { panels } = parse(readFileSync(join(DEPLOY, 'grafana/dashboards', file), 'utf8')) as {
      panels: { title: string; targets?: { expr: string }[] }[];
    };
    const expr = panels.find((panel) => panel.title === title)?.targets?.[0]?.expr;
    if (expr) return expr;
  }
  throw new Error(`no dashboard has a panel "${title}"`);
}

/** Ends a process by its pid, and waits for it to be gone. */
async function endOf(pid: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      process.kill(pid, i < 60 ? 'SIGTERM' : 'SIGKILL');
    } catch {
      return;
    }
    // A second signal ends the service at once; nothing is to be finished here.
    await sleep(100);
  }
}
