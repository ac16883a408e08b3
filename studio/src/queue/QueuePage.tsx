import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call, wordsOf } from '../api/call.ts';
import type { Access, QueueState, WorkerHealth } from '../api/types.ts';
import { broken, jobs, listen, samples } from '../jobs/feed.ts';
import { useClock } from '../ui/clock.ts';
import { capital, Empty, Notice } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { duration } from '../ui/words.ts';
import { Chart, Durations } from './Chart.tsx';
import { DeadLetters } from './DeadLetters.tsx';

const LAST_JOBS = 40;

/** The state of the queue, and what to do about problems. */
export function QueuePage({ access }: { access: Access }): JSX.Element {
  useEffect(listen, []);
  const state = samples.value.at(-1)?.state;
  if (!access.scopes.includes('operate')) {
    return (
      <div class="page">
        <h1>Health</h1>
        <Empty icon="pulse" title="This key cannot manage the queue">
          Ask for a key with the scope <code>operate</code>.
        </Empty>
      </div>
    );
  }
  return (
    <div class="page">
      <div class="page-head">
        <h1>Health</h1>
        {state && <Verdict state={state} />}
      </div>
      {broken.value !== undefined && <Notice kind="warn">{broken.value} It is tried again.</Notice>}
      <Charts />
      <div class="health">
        <Checks state={state} />
        <Workers count={state?.workers} />
      </div>
      <DeadLetters state={state} />
    </div>
  );
}

function Verdict({ state }: { state: QueueState }): JSX.Element {
  const isOk = state.health.status === 'ok';
  return (
    <span class={`verdict ${isOk ? 'good' : 'bad'}`}>
      <Icon name={isOk ? 'check' : 'warning'} size={16} />
      {isOk ? 'All is well' : 'Something is wrong'}
    </span>
  );
}

function Charts(): JSX.Element {
  const now = useClock();
  const all = samples.value;
  const state = all.at(-1)?.state;
  const series = (value: (state: QueueState) => number) =>
    all.map((sample) => ({ at: sample.at, value: value(sample.state) }));
  const took = [...jobs.value.values()]
    .filter(({ status, startedAt, finishedAt }) => status === 'completed' && startedAt && finishedAt)
    .sort((a, b) => String(a.finishedAt).localeCompare(String(b.finishedAt)))
    .slice(-LAST_JOBS)
    .map(({ startedAt = '', finishedAt = '' }) => (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  const oldest = state?.oldestWaitingAgeSeconds ?? 0;
  return (
    <div class="charts" aria-busy={state === undefined}>
      <Chart
        title={oldest > 0 ? `Waiting, the oldest for ${duration(oldest)}` : 'Waiting'}
        value={state ? String(state.waiting) : '–'}
        unit={state ? `of ${state.limit}` : ''}
        limit={state?.limit ?? 0}
        points={series(({ waiting }) => waiting)}
        now={now}
      />
      <Chart
        title="Running"
        value={state ? String(state.counts.active ?? 0) : '–'}
        points={series(({ counts }) => counts.active ?? 0)}
        now={now}
      />
      <Chart
        title="Finished"
        value={state ? String(state.finishedPerMinute) : '–'}
        unit="a minute"
        points={series(({ finishedPerMinute }) => finishedPerMinute)}
        now={now}
      />
      <Durations
        seconds={took}
        {...(state?.durations.p50Seconds === undefined ? {} : { p50: state.durations.p50Seconds })}
        {...(state?.durations.p95Seconds === undefined ? {} : { p95: state.durations.p95Seconds })}
      />
    </div>
  );
}

const NAMES: Record<string, string> = {
  queue: 'Queue',
  store: 'Store',
  workers: 'Workers',
  wedge: 'Progress',
};

/** The health checks. */
function Checks({ state }: { state: QueueState | undefined }): JSX.Element {
  return (
    <section class="box" aria-labelledby="checks">
      <h2 id="checks">Checks</h2>
      <ul class="checks">
        {(state?.health.checks ?? []).map(({ name, ok, message }) => (
          <li key={name} class={ok ? 'good' : 'bad'}>
            <Icon name={ok ? 'check' : 'warning'} size={16} />
            <strong>{NAMES[name] ?? capital(name)}</strong>
            <span>
              <span class="unseen">{ok ? 'in order:' : 'not in order:'}</span> {message}
            </span>
          </li>
        ))}
        {state === undefined && [1, 2, 3, 4].map((row) => <li key={row} class="row-place" />)}
      </ul>
    </section>
  );
}

/** The workers, loaded again when their number changes. */
function Workers({ count }: { count: number | undefined }): JSX.Element {
  const health = useSignal<WorkerHealth | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (count === undefined) return;
    call<WorkerHealth>('/api/preview/worker/health').then(
      (answer) => {
        health.value = answer;
      },
      (error: unknown) => {
        problem.value = wordsOf(error);
      },
    );
  }, [count, health, problem]);
  const { workers = [], queue } = health.value ?? {};
  return (
    <section class="box" aria-labelledby="workers">
      <div class="box-head">
        <h2 id="workers">Workers</h2>
        {queue?.latencyMs !== undefined && queue.latencyMs !== null && (
          <span class="muted small">
            the queue answers within {Math.max(1, Math.round(queue.latencyMs))} ms
          </span>
        )}
      </div>
      {problem.value && <Notice kind="warn">{problem.value}</Notice>}
      <ul class="workers">
        {workers.map(({ name, activeJobs, concurrency }) => (
          <li key={name}>
            <span class="live-dot" />
            <code>{name}</code>
            <span class="muted">
              {concurrency === undefined
                ? 'elsewhere'
                : `${concurrency} jobs at once${activeJobs ? `, ${activeJobs} now` : ''}`}
            </span>
          </li>
        ))}
        {health.value && workers.length === 0 && (
          <li class="muted">
            None is connected. Start one with <code>preview-worker worker</code>.
          </li>
        )}
        {!health.value && <li class="row-place" />}
      </ul>
    </section>
  );
}
