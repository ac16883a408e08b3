/**
 * Renders a storyboard of ten 4000x3000 photographs with this renderer and, beside it, with the plain ffmpeg recipe:
 * each photo decoded, scaled and captioned once, repeated with the loop filter, an xfade chain, libx264 veryfast
 * crf 23, AAC. Prints wall times (medians) and file sizes, and writes them to bench-output/bench.json.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const RUNS = 5;
const STEPS = 10;
const STEP_SECONDS = 3;
const FADE_SECONDS = 0.5;

if (spawnSync('ffmpeg', ['-version']).status !== 0) {
  console.error('ffmpeg is not installed; the bench needs it as the peer (Debian: apt-get install ffmpeg).');
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'preview-bench-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const photos = await Promise.all(Array.from({ length: STEPS }, (_, i) => makePhoto(i)));
  const job = join(folder, 'job.json');
  const title = (i: number): string => `Step number ${i + 1} of the bench`;
  const seconds = STEPS * STEP_SECONDS;
  run('ffmpeg', [
    '-y',
    '-f',
    'lavfi',
    '-i',
    `sine=f=330:d=${seconds}`,
    '-ac',
    '2',
    join(folder, 'music.wav'),
  ]);
  writeFileSync(
    job,
    JSON.stringify({
      jobId: 'bench',
      projectId: 'bench',
      requestId: 'bench',
      dryRun: false,
      previewRequest: {
        steps: photos.map((_, i) => ({
          title: title(i),
          asset: `p${i}`,
          durationSeconds: STEP_SECONDS,
          transition: { type: 'fade', durationSeconds: FADE_SECONDS },
        })),
        assets: [
          ...photos.map((_, i) => ({ id: `p${i}`, type: 'image', path: `p${i}.jpg` })),
          { id: 'music', type: 'audio', path: 'music.wav' },
        ],
        audio: { music: { asset: 'music' } },
      },
    }),
  );

  const ours: number[] = [];
  const peer: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const data = join(folder, `data-${i}`);
    ours.push(
      timed(() =>
        run('node', ['dist/cli.js', 'render', job, '--out', join(folder, 'out')], { DATA_DIR: data }),
      ),
    );
    peer.push(timed(() => run('ffmpeg', peerArguments(photos, title))));
  }
  const result = {
    steps: STEPS,
    runs: RUNS,
    oursSeconds: median(ours),
    peerSeconds: median(peer),
    ratio: median(peer) / median(ours),
    oursBytes: statSync(join(folder, 'out', 'preview.mp4')).size,
    peerBytes: statSync(join(folder, 'peer.mp4')).size,
  };
  console.table(result);
  if (!existsSync('bench-output')) mkdirSync('bench-output');
  writeFileSync('bench-output/bench.json', JSON.stringify(result, null, 2));
}

/** A photograph-like picture: noise at several scales, so that it costs what a photograph costs. */
async function makePhoto(seed: number): Promise<string> {
  const path = join(folder, `p${seed}.jpg`);
  const layer = (size: number, sigma: number): Promise<Buffer> =>
    sharp({
      create: {
        width: Math.round(4000 / size),
        height: Math.round(3000 / size),
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma },
      },
    })
      .resize(4000, 3000, { fit: 'fill', kernel: 'cubic' })
      .png({ compressionLevel: 0 })
      .toBuffer();
  const [large, middle, fine] = await Promise.all([layer(400, 70), layer(60, 50), layer(6, 40)]);
  await sharp(large)
    .composite([
      { input: middle, blend: 'soft-light' },
      { input: fine, blend: 'soft-light' },
    ])
    .modulate({ hue: seed * 36 })
    .jpeg({ quality: 90 })
    .toFile(path);
  return path;
}

function peerArguments(photos: readonly string[], title: (i: number) => string): string[] {
  const frames = (STEP_SECONDS + FADE_SECONDS) * 30;
  const scaled = photos.map(
    (_, i) =>
      `[${i}:v]scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,drawtext=text='${title(i)}':fontsize=44:fontcolor=white:x=64:y=560:box=1:boxcolor=black@0.6,format=yuv420p,loop=loop=${frames}:size=1,fps=30,trim=end_frame=${frames},settb=1/30,setpts=N[s${i}]`,
  );
  const fades = photos.slice(1).map((_, i) => {
    const from = i === 0 ? 's0' : `x${i}`;
    return `[${from}][s${i + 1}]xfade=transition=fade:duration=${FADE_SECONDS}:offset=${(i + 1) * STEP_SECONDS}[x${i + 1}]`;
  });
  return [
    '-y',
    ...photos.flatMap((photo) => ['-i', photo]),
    ...['-i', join(folder, 'music.wav')],
    ...['-filter_complex', [...scaled, ...fades].join(';')],
    ...['-map', `[x${photos.length - 1}]`, '-map', `${photos.length}:a`],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'veryfast',
      '-crf',
      '23',
      '-c:a',
      'aac',
      '-shortest',
      join(folder, 'peer.mp4'),
    ],
  ];
}

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  const { status, stderr } = spawnSync(command, args, {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command} failed: ${stderr.slice(-2000)}`);
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
