/** From 0 to 1 without a corner at either end (the cubic Hermite polynomial); below 0 it is 0, above 1 it is 1. */
export function smoothstep(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
}
