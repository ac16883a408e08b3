/** From 0 to 1 while `t` does, with no jerk at either end; 0 before and 1 after. */
export function smoothstep(t: number): number {
  const clamped = Math.min(1, Math.max(0, t));
  return clamped * clamped * (3 - 2 * clamped);
}
