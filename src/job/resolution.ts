/** The size of a picture from a text like `1280x720`, which is what it is where the job says nothing. */
export function readResolution(text = '1280x720'): { width: number; height: number } {
  const [width = Number.NaN, height = Number.NaN] = text.split('x').map(Number);
  return { width, height };
}
