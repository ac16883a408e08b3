import { spawnSync } from 'node:child_process';

/** Whether suites run on real Prometheus; with REQUIRE_PROMETHEUS=1 a machine without it fails instead of skipping. */
export function hasPrometheus(): boolean {
  const found = ['promtool', 'prometheus'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (!found && process.env.REQUIRE_PROMETHEUS === '1')
    throw new Error('REQUIRE_PROMETHEUS=1, but prometheus and promtool are not on the PATH');
  return found;
}
