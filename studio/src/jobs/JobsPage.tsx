import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { call, wordsOf } from '../api/call.ts';
import { ENDED, type ListedJob } from '../api/types.ts';
import { useClock } from '../ui/clock.ts';
import { Button, Empty, IconButton, Notice, Select } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { follow, query, setQuery } from '../ui/router.ts';
import { age, count, dateAndTime, duration } from '../ui/words.ts';
import { cancelJob, pageOf, replayJob } from './actions.ts';
import { broken, jobs, keep, keyOf, listen, told } from './feed.ts';
import { apiQuery, type Filter, GROUPS, type GroupName, matches, newestFirst, readFilter } from './filter.ts';
import { State } from './State.tsx';

const PRIORITIES = [
  { value: '', label: 'Any priority' },
  { value: 'high', label: 'High' },
  { value: 'normal', label: 'Normal' },
  { value: 'low', label: 'Low' },
];

/** All jobs, as they change. */
export function JobsPage(): JSX.Element {
  const filter = readFilter(query.value);
  const asked = apiQuery(filter);
  const older = useSignal<{ next?: string; loading: boolean; error?: string }>({ loading: true });
  useEffect(listen, []);

  const load = async (cursor?: string): Promise<void> => {
    older.value = { ...older.peek(), loading: true };
    try {
      const page = await call<{ jobs: ListedJob[]; next?: string }>(
        `/api/preview/jobs${apiQuery(readFilter(query.peek()), cursor)}`,
      );
      keep(page.jobs);
      older.value = { loading: false, ...(page.next === undefined ? {} : { next: page.next }) };
    } catch (error) {
      older.value = { loading: false, error: wordsOf(error) };
    }
  };
  useEffect(() => {
    void load();
  }, [asked]);

  const shown = newestFirst([...jobs.value.values()].filter((job) => matches(job, filter)));
  const { next, loading, error } = older.value;
  const isReady = told.value || !loading;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Jobs</h1>
        <span class={`live ${broken.value ? 'live-off' : ''}`}>
          <span class="live-dot" />
          {broken.value ? 'Connecting again' : 'Live'}
        </span>
      </div>
      <Filters filter={filter} />
      {error !== undefined && (
        <Notice
          kind="bad"
          action={
            <Button icon="replay" onClick={() => void load()}>
              Try again
            </Button>
          }
        >
          {error}
        </Notice>
      )}
      {!isReady && shown.length === 0 && <Rows />}
      {isReady && shown.length === 0 && error === undefined && <NoJobs filter={filter} />}
      {shown.length > 0 && <JobTable shown={shown} />}
      {next !== undefined && (
        <div class="more">
          <Button disabled={loading} onClick={() => void load(next)}>
            {loading ? 'Loading' : 'Show older jobs'}
          </Button>
        </div>
      )}
    </div>
  );
}

function Filters({ filter }: { filter: Filter }): JSX.Element {
  return (
    <search class="filters">
      <fieldset class="groups" aria-label="State">
        {(Object.keys(GROUPS) as GroupName[]).map((name) => (
          <button
            type="button"
            key={name}
            aria-pressed={filter.group === name}
            onClick={() => setQuery({ status: name === 'all' ? undefined : name })}
          >
            {GROUPS[name].label}
          </button>
        ))}
      </fieldset>
      <span class="search">
        <Icon name="search" size={16} />
        <input
          type="search"
          aria-label="Search by title, job id or request id"
          placeholder="Title, job id or request id"
          value={filter.words}
          onInput={(event) => setQuery({ q: event.currentTarget.value || undefined })}
        />
      </span>
      <Select
        id="priority"
        class="select"
        aria-label="Priority"
        value={filter.priority}
        choices={PRIORITIES}
        onChange={(priority) => setQuery({ priority: priority || undefined })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={filter.superseded}
          onChange={(event) => setQuery({ superseded: event.currentTarget.checked ? '1' : undefined })}
        />
        Show superseded
      </label>
    </search>
  );
}

function JobTable({ shown }: { shown: readonly ListedJob[] }): JSX.Element {
  const now = useClock();
  return (
    <table class="table jobs">
      <caption class="unseen">{count(shown.length, 'job')}, the last accepted first</caption>
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col" class="wide">
            State
          </th>
          <th scope="col" class="wide">
            Priority
          </th>
          <th scope="col" class="wide number">
            Took
          </th>
          <th scope="col" class="number">
            Age
          </th>
          <th scope="col">
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {shown.map((job) => (
          <JobRow key={keyOf(job)} job={job} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function JobRow({ job, now }: { job: ListedJob; now: number }): JSX.Element {
  const {
    jobId,
    title,
    status,
    priority = 'normal',
    createdAt,
    startedAt,
    finishedAt,
    projectId,
    error,
  } = job;
  const name = title || jobId;
  return (
    <tr data-job={jobId}>
      <td class="job-name">
        <a href={pageOf(job)} onClick={follow}>
          {name}
        </a>
        <span class="job-id">
          {projectId} · {jobId}
        </span>
        {status === 'failed' && error && <span class="job-error">{error.message}</span>}
        <State job={job} />
      </td>
      <td class="wide">
        <State job={job} />
      </td>
      <td class="wide muted">
        {priority === 'normal' ? 'Normal' : <span class={`priority ${priority}`}>{priority}</span>}
      </td>
      <td class="wide number muted">{tookOf(startedAt, finishedAt, now)}</td>
      <td class="number muted" title={dateAndTime(createdAt)}>
        {age(createdAt, now)}
      </td>
      <td class="job-actions">
        {!ENDED.includes(status) && (
          <IconButton icon="stop" size={16} label={`Cancel ${name}`} onClick={() => void cancelJob(job)} />
        )}
        {status === 'failed' && (
          <IconButton icon="replay" size={16} label={`Replay ${name}`} onClick={() => void replayJob(job)} />
        )}
      </td>
    </tr>
  );
}

export function tookOf(startedAt: string | undefined, finishedAt: string | undefined, now: number): string {
  if (startedAt === undefined) return '–';
  const end = finishedAt === undefined ? now : Date.parse(finishedAt);
  return duration(Math.max(0, (end - Date.parse(startedAt)) / 1000));
}

function NoJobs({ filter }: { filter: Filter }): JSX.Element {
  const isFiltered = filter.group !== 'all' || filter.priority !== '' || filter.words !== '';
  if (isFiltered) {
    return (
      <Empty icon="search" title="No job matches">
        <button
          type="button"
          class="link"
          onClick={() => setQuery({ status: undefined, priority: undefined, q: undefined })}
        >
          Show all jobs
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="queue" title="No jobs yet">
      <a href="/" onClick={follow}>
        Write a storyboard
      </a>
      , or send a job to <code>POST /api/preview/job</code>. It appears here at once.
    </Empty>
  );
}

/** Placeholders for rows that are being loaded. */
function Rows(): JSX.Element {
  return (
    <div class="rows" aria-busy="true">
      {[1, 2, 3, 4, 5, 6].map((row) => (
        <span key={row} class="row-place" />
      ))}
    </div>
  );
}
