/** The plain ffmpeg recipe that a team would write first, made as fast as it gets without another design. */
import { join } from 'node:path';
import { run } from './measure.ts';

export interface Recipe {
  photos: readonly string[];
  titles: readonly string[];
  music: string;
  stepSeconds: number;
  fadeSeconds: number;
  fps: number;
}

/** One photo scaled, cropped and captioned; once, not for every frame. */
const slide = (title: string): string =>
  `scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,drawtext=text='${title}':fontsize=44:fontcolor=white:x=64:y=560:box=1:boxcolor=black@0.6,format=yuv420p`;

/** Renders the recipe's storyboard to `path`. */
export function renderPeer(recipe: Recipe, path: string): void {
  const { photos, titles, stepSeconds, fadeSeconds, fps, music } = recipe;
  const frames = (stepSeconds + fadeSeconds) * fps;
  const slides = photos.map(
    (_, i) =>
      `[${i}:v]${slide(titles[i] ?? '')},loop=loop=${frames}:size=1,fps=${fps},trim=end_frame=${frames},settb=1/${fps},setpts=N[s${i}]`,
  );
  const fades = photos.slice(1).map((_, i) => {
    const from = i === 0 ? 's0' : `x${i}`;
    return `[${from}][s${i + 1}]xfade=transition=fade:duration=${fadeSeconds}:offset=${(i + 1) * stepSeconds}[x${i + 1}]`;
  });
  run('ffmpeg', [
    '-y',
    ...photos.flatMap((photo) => ['-i', photo]),
    ...['-i', music, '-filter_complex', [...slides, ...fades].join(';')],
    ...[
      '-map',
      `[x${photos.length - 1}]`,
      '-map',
      `${photos.length}:a`,
      '-t',
      String(photos.length * stepSeconds),
    ],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-c:a', 'aac', path],
  ]);
}

/** The slide that the recipe shows for a photo, without loss. */
export function peerSlide(recipe: Recipe, index: number, path: string): void {
  const photo = recipe.photos[index] ?? '';
  run('ffmpeg', ['-y', '-i', photo, '-vf', slide(recipe.titles[index] ?? ''), '-c:v', 'ffv1', path]);
}

/** SSIM of the frame at `seconds` of a video against a picture, all planes. */
export function ssimAt(video: string, seconds: number, reference: readonly string[], folder: string): number {
  const frame = join(folder, 'frame.nut');
  run('ffmpeg', [
    '-y',
    '-ss',
    String(seconds),
    '-i',
    video,
    '-frames:v',
    '1',
    '-c:v',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    frame,
  ]);
  const { stderr } = run('ffmpeg', ['-i', frame, ...reference, '-lavfi', 'ssim', '-f', 'null', '-']);
  return Number(/All:([\d.]+)/.exec(stderr)?.[1]);
}
