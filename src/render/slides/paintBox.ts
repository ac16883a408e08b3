import type { YuvPicture } from '../../media/picture/frame.ts';
import { drawOver } from '../../media/picture/paint.ts';

/**
 * A filled rectangle with round corners, their edges smooth; whole pixels.
 * @param color `#rrggbb` or `#rrggbbaa`
 */
export function paintBox(
  picture: YuvPicture,
  box: { left: number; top: number; width: number; height: number; radius?: number },
  color: string,
): void {
  const [width, height] = [Math.max(1, Math.round(box.width)), Math.max(1, Math.round(box.height))];
  const radius = Math.min(box.radius ?? 0, width / 2, height / 2);
  const pixel = Buffer.from(color.slice(1).padEnd(8, 'f'), 'hex');
  const rgba = Buffer.alloc(width * height * 4, pixel);
  const corner = Math.ceil(radius);
  for (let y = 0; y < corner; y++) {
    for (let x = 0; x < corner; x++) {
      // How far the pixel's middle lies outside of the circle, from half a pixel within to half a pixel beyond.
      const outside = Math.hypot(radius - x - 0.5, radius - y - 0.5) - radius + 0.5;
      const alpha = Math.round((pixel[3] as number) * (1 - Math.min(1, Math.max(0, outside))));
      for (const row of [y, height - 1 - y]) {
        for (const column of [x, width - 1 - x]) rgba[(row * width + column) * 4 + 3] = alpha;
      }
    }
  }
  drawOver(picture, { width, height, rgba }, Math.round(box.left), Math.round(box.top));
}
