import type { JSX } from 'preact';
import { type Point, roomFor, stepLine, WINDOW_MS } from './chart.ts';

const WIDTH = 400;
const HEIGHT = 96;

/** A number of the queue, now and over the last two minutes. */
export function Chart({
  title,
  value,
  unit = '',
  points,
  now,
  limit,
}: {
  title: string;
  value: string;
  unit?: string;
  points: readonly Point[];
  now: number;
  /** Drawn as a line of its own where it is near. */
  limit?: number;
}): JSX.Element {
  const most = Math.max(0, ...points.filter(({ at }) => at > now - WINDOW_MS).map((point) => point.value));
  const top = roomFor(limit !== undefined && most > limit / 3 ? Math.max(limit, most) : most);
  const { line, area } = stepLine(points, { now, width: WIDTH, height: HEIGHT, top });
  const limitAt = limit === undefined || limit > top ? undefined : HEIGHT * (1 - limit / top);
  return (
    <figure class="chart">
      <figcaption>
        <span class="muted">{title}</span>
        <span class="chart-value">
          {value}
          {unit && <small> {unit}</small>}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${value}${unit ? ` ${unit}` : ''} now, at most ${most} within the last two minutes`}
      >
        <line class="chart-base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        <line class="chart-grid" x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
        {limitAt !== undefined && <line class="chart-limit" x1="0" x2={WIDTH} y1={limitAt} y2={limitAt} />}
        <path class="chart-area" d={area} />
        <path class="chart-line" d={line} />
      </svg>
      <p class="chart-scale muted small" aria-hidden="true">
        <span>2 min ago</span>
        <span>top {top}</span>
        <span>now</span>
      </p>
    </figure>
  );
}

/** How long the last jobs took, one bar for each. */
export function Durations({
  seconds,
  p50,
  p95,
}: {
  seconds: readonly number[];
  p50?: number;
  p95?: number;
}): JSX.Element {
  const most = Math.max(0.1, ...seconds);
  const width = WIDTH / Math.max(24, seconds.length);
  const words = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(2)} s`);
  return (
    <figure class="chart">
      <figcaption>
        <span class="muted">Median duration</span>
        <span class="chart-value">
          {words(p50)} <small>p95 {words(p95)}</small>
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`The last ${seconds.length} jobs took at most ${most.toFixed(2)} seconds; median ${words(p50)}`}
      >
        <line class="chart-base" x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {seconds.map((value, i) => {
          const height = Math.max(2, (value / most) * (HEIGHT - 4));
          return (
            <rect
              key={i}
              class="chart-bar"
              x={i * width + width * 0.15}
              width={width * 0.7}
              y={HEIGHT - height}
              height={height}
            />
          );
        })}
      </svg>
      <p class="chart-scale muted small" aria-hidden="true">
        <span>the last {seconds.length} jobs</span>
        <span>top {most.toFixed(1)} s</span>
      </p>
    </figure>
  );
}
