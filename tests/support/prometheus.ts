import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './redis.ts';

/** Whether suites run on real Prometheus; with REQUIRE_PROMETHEUS=1 a machine without it fails instead of skipping. */
export function hasPrometheus(): boolean {
  const found = ['promtool', 'prometheus'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (!found && process.env.REQUIRE_PROMETHEUS === '1')
    throw new Error('REQUIRE_PROMETHEUS=1, but prometheus and promtool are not on the PATH');
  return found;
}

export interface TestPrometheus {
  /** The series of a query over the last half minute, each with its values. */
  query(expr: string): Promise<number[][]>;
  stop(): Promise<void>;
}

/** A real Prometheus that scrapes `targets` each second and evaluates `rules`; own port, own folder, ended by its pid. */
export async function startPrometheus(options: {
  targets: { job: string; url: string }[];
  rules: string;
}): Promise<TestPrometheus> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'preview-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [options.rules],
    scrape_configs: options.targets.map(({ job, url }) => ({
      job_name: job,
      static_configs: [{ targets: [new URL(url).host] }],
    })),
  };
  const file = join(folder, 'prometheus.json');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const place = [`--web.listen-address=127.0.0.1:${port}`, `--storage.tsdb.path=${join(folder, 'data')}`];
  const server = spawn('prometheus', [`--config.file=${file}`, ...place], { stdio: 'ignore' });
  await eventually(async () => {
    const ready = await fetch(`${url}/-/ready`).catch(() => undefined);
    return ready?.ok || undefined;
  }, 'Prometheus');
  return {
    async query(expr) {
      const end = Date.now() / 1000;
      const body = new URLSearchParams({ query: expr, start: `${end - 30}`, end: `${end}`, step: '1' });
      const answer = await fetch(`${url}/api/v1/query_range`, { method: 'POST', body });
      const { status, error, data } = (await answer.json()) as RangeAnswer;
      if (status !== 'success' || !data) throw new Error(`${expr}: ${error}`);
      return data.result.map(({ values }) => values.map(([, value]) => Number(value)));
    },
    async stop() {
      const exit = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await exit;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface RangeAnswer {
  status: 'success' | 'error';
  error?: string;
  data?: { result: { values: [number, string][] }[] };
}
