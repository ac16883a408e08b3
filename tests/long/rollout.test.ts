import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterProcess, jobDone, openCluster, postJob } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { hasRedis } from '../support/redis.ts';
import { smallJob } from '../support/service.ts';

const OTHER = 'of-another-release';
const ROOT = resolve(import.meta.dirname, '../..');

/** The command line of this package with another version of the renderer, in a folder of its own. */
async function openOtherVersion(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'preview-version-'));
  for (const name of ['dist', 'fonts', 'schemas', 'package.json'])
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const part = join(folder, 'dist/render/parts/part.js');
  const text = await readFile(part, 'utf8');
  const changed = text.replace(/RENDERER_VERSION = '[^']+'/, `RENDERER_VERSION = '${OTHER}'`);
  if (changed === text) throw new Error('part.js does not say its version');
  await writeFile(part, changed);
  return folder;
}

const steps = (count: number, word: string) =>
  Array.from({ length: count }, (_, i) => ({ title: `${word} ${i}`, durationSeconds: 1 }));

describe.skipIf(!hasRedis())('two versions of the renderer on one Redis and one store', () => {
  let other: string;
  let cluster: Cluster;
  let api: ClusterProcess;
  let ours: ClusterProcess;
  let theirs: ClusterProcess;

  beforeAll(async () => {
    other = await openOtherVersion();
    cluster = await openCluster();
    const env = { PREVIEW_WORKER_CONCURRENCY: '1', PREVIEW_SHUTDOWN_GRACE_SECONDS: '3' };
    [api, ours, theirs] = await Promise.all([
      cluster.start('api'),
      cluster.start('worker', env),
      cluster.start('worker', env, join(other, 'dist/cli.js')),
    ]);
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await rm(other, { recursive: true, force: true });
  }, 60_000);

  const started = (worker: ClusterProcess): unknown[] =>
    worker.lines.filter(({ msg }) => msg === 'job started').map(({ jobId }) => jobId);
  const manifestOf = async (jobId: string) => {
    const answer = await fetch(`${api.url}/api/preview/job/${jobId}/artifact?name=manifest.json&redirect=1`);
    return (await answer.json()) as {
      renderer: { version: string };
      stats: { segments: { total: number; reused: number } };
    };
  };

  it('end each job once, and are not served the parts of each other', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `side-by-side-${i}`);
    const request = { title: 'The same', steps: steps(4, 'Step') };
    await Promise.all(ids.map(async (id) => expect(await postJob(api.url, smallJob(id, request))).toBe(202)));
    await Promise.all(ids.map((id) => jobDone(api.url, id)));
    expect([...started(ours), ...started(theirs)].sort()).toEqual([...ids].sort());
    for (const worker of [ours, theirs]) {
      const made = await Promise.all(started(worker).map((id) => manifestOf(String(id))));
      expect(made.length).toBeGreaterThan(0);
      for (const { renderer } of made) expect(renderer.version === OTHER).toBe(worker === theirs);
      // The first job of a version makes all of its parts, also where the other version has made its own of the same.
      const anew = made.filter(({ stats }) => stats.segments.reused === 0);
      const reused = made.filter(({ stats }) => stats.segments.reused === stats.segments.total);
      expect([anew.length, reused.length]).toEqual([1, made.length - 1]);
    }
  }, 120_000);

  it('take over from each other when one is stopped, and lose nothing', async () => {
    const request = { steps: steps(60, 'Long'), options: { resolution: '1280x720', fps: 30 } };
    await postJob(api.url, smallJob('rolled-back', request));
    const [first, second] = await eventually(async () => {
      if (started(ours).includes('rolled-back')) return [ours, theirs] as const;
      return started(theirs).includes('rolled-back') ? ([theirs, ours] as const) : undefined;
    }, 'the start of the job');
    await first.stop();
    expect(first.lines.map(({ msg }) => msg)).toContain('job given back to the queue');
    await jobDone(api.url, 'rolled-back');
    expect(started(second)).toContain('rolled-back');
    const { renderer, stats } = await manifestOf('rolled-back');
    expect(renderer.version === OTHER).toBe(second === theirs);
    expect(stats.segments.reused).toBe(0);
  }, 180_000);
});
