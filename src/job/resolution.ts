/** The sides of a job's frame in pixels, as `options.resolution` names them. */
export function sidesOf(resolution = '1280x720'): { width: number; height: number } {
  const [width = Number.NaN, height = Number.NaN] = resolution.split('x').map(Number);
  return { width, height };
}
