import type { JSX } from 'preact';
import type { JobHistory, MadePart } from '../api/types.ts';
import { capital } from '../ui/controls.tsx';
import { count, duration, timeOfDay } from '../ui/words.ts';
import { buildWaterfall } from './waterfall.ts';

/** The history of a job: its attempts, when each part was rendered, and the log. */
export function History({ history: { attempts, parts, logs } }: { history: JobHistory }): JSX.Element {
  const last = Math.max(0, ...parts.map(({ attempt }) => attempt));
  return (
    <>
      <section class="box" aria-labelledby="attempts">
        <h2 id="attempts">Attempts</h2>
        {attempts.length === 0 && <p class="muted">No worker has started it yet.</p>}
        <ol class="attempts">
          {attempts.map(({ attempt, worker, startedAt, endedAt, outcome, error }) => (
            <li key={`${attempt} ${startedAt}`}>
              <span class="attempt-number">{attempt}</span>
              <div>
                <p>
                  <strong>{OUTCOMES[outcome ?? ''] ?? (outcome ? capital(outcome) : 'Running')}</strong>
                  {endedAt && (
                    <span class="muted">
                      {' '}
                      after {duration((Date.parse(endedAt) - Date.parse(startedAt)) / 1000)}
                    </span>
                  )}
                </p>
                {error && <p class="attempt-error">{error.message}</p>}
                <p class="muted small">
                  {timeOfDay(startedAt)}
                  {worker && ` on ${worker}`}
                </p>
              </div>
            </li>
          ))}
        </ol>
      </section>
      {parts.length > 0 && <Timings parts={parts.filter(({ attempt }) => attempt === last)} />}
      {logs.length > 0 && (
        <section class="box" aria-labelledby="log">
          <h2 id="log">Log</h2>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <section class="log" tabIndex={0} aria-labelledby="log">
            <ol>
              {logs.map(({ time, level, msg, error, attempt }, i) => (
                <li key={i} class={`log-${level}`}>
                  <span class="muted">{timeOfDay(time)}</span>
                  <span>
                    {attempt !== undefined && attempt > 1 && <span class="muted">attempt {attempt}: </span>}
                    {msg}
                    {error && <span class="log-why"> {error.message}</span>}
                  </span>
                </li>
              ))}
            </ol>
          </section>
        </section>
      )}
    </>
  );
}

const OUTCOMES: Record<string, string> = {
  completed: 'Completed',
  failed: 'Failed',
  givenBack: 'Given back',
  lockLost: 'Lost its lock',
  cancelled: 'Cancelled',
};

/** A lane for each kind of part, with a bar for each. */
function Timings({ parts }: { parts: readonly MadePart[] }): JSX.Element {
  const { lanes, milliseconds } = buildWaterfall(parts);
  return (
    <section class="box" aria-labelledby="timings">
      <div class="box-head">
        <h2 id="timings">Where the time went</h2>
        <span class="muted small">
          <span class="key new" /> rendered <span class="key reused" /> reused
        </span>
      </div>
      <ul class="waterfall">
        {lanes.map(({ kind, bars, made, reused }) => (
          <li key={kind}>
            <span class="lane-name">{capital(kind)}</span>
            <svg class="lane" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">
              {bars.map(({ left, width, reused: old, title }, i) => (
                <rect
                  key={i}
                  class={old ? 'old' : ''}
                  x={Math.min(left, 996)}
                  y={3}
                  height={14}
                  width={Math.max(4, width)}
                  rx={1}
                >
                  <title>{title}</title>
                </rect>
              ))}
            </svg>
            <span class="lane-count muted small">
              {made > 0 && `${made} made`}
              {made > 0 && reused > 0 && ', '}
              {reused > 0 && `${reused} reused`}
            </span>
          </li>
        ))}
      </ul>
      <p class="waterfall-scale muted small">
        <span>0</span>
        <span>{duration(milliseconds / 2000)}</span>
        <span>{duration(milliseconds / 1000)}</span>
      </p>
      <p class="unseen">
        {count(parts.length, 'part')} within {duration(milliseconds / 1000)}.
      </p>
    </section>
  );
}
