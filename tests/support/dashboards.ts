import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const DEPLOY = join(import.meta.dirname, '../../deploy');
const FOLDER = join(DEPLOY, 'grafana/dashboards');

interface Panel {
  type: string;
  title: string;
  description?: string;
  targets?: { expr: string }[];
}

/** Of Grafana, as they are shipped. */
export const dashboards = readdirSync(FOLDER).map((file) => {
  const { title, panels } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
  return { title: String(title), panels: panels as Panel[] };
});
/** What their panels ask, each with its place. */
export const queries = dashboards.flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr }) => [`${title} / ${panel.title}`, expr] as const),
  ),
);

/** What docs/rollout.md says to watch. */
export const watched = [
  ...readFileSync(join(DEPLOY, '../docs/rollout.md'), 'utf8').matchAll(/```promql\n(.+)\n```/g),
].map(([, expr = '']) => expr);
