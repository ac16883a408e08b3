import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

const [WIDTH, HEIGHT] = [4000, 3000];

/** Photograph-like pictures: noise at several scales, so that they cost what photographs cost. */
export function makePhotos(folder: string, count: number, first = 0): Promise<string[]> {
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  return Promise.all(seeds.map((seed) => makePhoto(join(folder, `p${seed}.jpg`), seed)));
}

async function makePhoto(path: string, seed: number): Promise<string> {
  if (existsSync(path)) return path;
  const layer = (size: number, sigma: number): Promise<Buffer> =>
    sharp({
      create: {
        width: Math.round(WIDTH / size),
        height: Math.round(HEIGHT / size),
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma },
      },
    })
      .resize(WIDTH, HEIGHT, { fit: 'fill', kernel: 'cubic' })
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
