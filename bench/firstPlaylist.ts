/**
 * How long an author waits after a pause in typing until there is something to play: from the POST of a 20-step job of
 * which one step was changed, to the playlist that names its first segments. The service is warm and idle; the job
 * supersedes the one before, as the studio's do. A player asks for two playlists, one after the other.
 *
 *     npm run bench:first-playlist [-- --runs 11]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { PreviewJob } from '../src/job/previewJob.types.ts';
import { median } from './measure.ts';
import { makePhotos } from './photos.ts';
import { type Service, startService } from './service.ts';

const [STEPS, PHOTOS, CHANGED] = [20, 10, 9];
const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '11' } } });

interface Waits {
  post: number;
  streamPlaylist: number;
  videoPlaylist: number;
  total: number;
  /** Of the job, as its history tells them, from the acceptance. */
  pickedUp: number;
  firstPart: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'preview-bench-'));
  const service = await startService(process.env.REDIS_URL ? { REDIS_URL: process.env.REDIS_URL } : {});
  try {
    const photos = await makePhotos(folder, PHOTOS);
    const uploads = await Promise.all(photos.map((photo) => service.upload(photo)));
    await service.render(jobOf('warm', uploads, 'As it was'));
    const waits: Waits[] = [];
    for (let run = 0; run < Number(options.runs); run++) {
      waits.push(await measure(service, jobOf(`edit-${run}`, uploads, `Other words, ${run}`)));
    }
    for (const name of Object.keys(waits[0] ?? {}) as (keyof Waits)[]) {
      const values = waits.map((each) => each[name]);
      const rounded = values.map((value) => Math.round(value)).join(' ');
      console.log(`${name.padEnd(16)} median ${median(values).toFixed(0).padStart(5)} ms   of ${rounded}`);
    }
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function jobOf(jobId: string, uploads: readonly string[], words: string): PreviewJob {
  return {
    jobId,
    projectId: 'bench',
    requestId: jobId,
    dryRun: false,
    supersedes: 'storyboard',
    previewRequest: {
      title: 'Twenty steps',
      steps: Array.from({ length: STEPS }, (_, i) => ({
        title: i === CHANGED ? words : `Step ${i + 1}`,
        asset: `photo-${i % PHOTOS}`,
        durationSeconds: 3,
        transition: { type: 'fade', durationSeconds: 0.5 },
      })),
      assets: uploads.map((upload, i) => ({ id: `photo-${i}`, type: 'image', upload })),
      audio: {},
    },
  };
}

async function measure(service: Service, job: PreviewJob): Promise<Waits> {
  const ask = async (path: string, init?: RequestInit): Promise<string> => {
    const response = await fetch(new URL(path, service.url), init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
  const headers = { 'content-type': 'application/json' };
  const at = [performance.now()];
  const { links } = JSON.parse(
    await ask('/api/preview/job', { method: 'POST', headers, body: JSON.stringify(job) }),
  );
  at.push(performance.now());
  const playlists = await ask(links.stream);
  at.push(performance.now());
  const video = playlists.split('\n').find((line) => line.includes('video.m3u8')) ?? '';
  const playlist = await ask(new URL(video, new URL(links.stream, service.url)).href);
  at.push(performance.now());
  if (!playlist.includes('#EXTINF')) throw new Error(`No segment is listed:\n${playlist}`);
  await ask(`/api/preview/job/${job.jobId}/events`);
  const { createdAt } = JSON.parse(await ask(`/api/preview/job/${job.jobId}/status`));
  const { attempts, parts } = JSON.parse(await ask(`/api/preview/job/${job.jobId}/history`));
  const since = (time: string): number => Date.parse(time) - Date.parse(createdAt);
  const [t0 = 0, t1 = 0, t2 = 0, t3 = 0] = at;
  return {
    post: t1 - t0,
    streamPlaylist: t2 - t1,
    videoPlaylist: t3 - t2,
    total: t3 - t0,
    pickedUp: since(attempts[0].startedAt),
    firstPart: Math.min(...parts.map((part: { startedAt: string }) => since(part.startedAt))),
  };
}

await main();
