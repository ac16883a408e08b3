import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { readResolution } from '../../../src/job/resolution.ts';
import { hasTitleCard } from '../../../src/job/titleCard.ts';
import { ENDED } from '../api/types.ts';
import { Downloads } from '../player/Downloads.tsx';
import { Player } from '../player/Player.tsx';
import type { Chapter } from '../player/ScrubBar.tsx';
import { createScreen, type Screen } from '../player/screen.ts';
import { useClock } from '../ui/clock.ts';
import { Button, Empty, Notice } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { follow, query } from '../ui/router.ts';
import { dateAndTime } from '../ui/words.ts';
import { cancelJob, discardJob, replayJob } from './actions.ts';
import { History } from './History.tsx';
import { tookOf } from './JobsPage.tsx';
import { State } from './State.tsx';
import { type JobWatch, type WatchedJob, watchJob } from './watchJob.ts';

/** One job: its preview, its progress and its history. */
export function JobPage({
  jobId,
  openInEditor,
}: {
  jobId: string;
  openInEditor(sent: unknown): void;
}): JSX.Element {
  const project = query.value.get('projectId');
  const path = `/api/preview/job/${encodeURIComponent(jobId)}${project ? `?projectId=${encodeURIComponent(project)}` : ''}`;
  const screen = useMemo(() => createScreen(), []);
  const watch = useSignal<JobWatch | undefined>(undefined);
  useEffect(() => {
    const mine = watchJob(path, screen);
    watch.value = mine;
    return () => mine.close();
  }, [path, screen, watch]);
  useEffect(() => () => screen.close(), [screen]);

  const job = watch.value?.job.value;
  const problem = watch.value?.problem.value;
  if (!job) {
    return (
      <div class="page">
        <Back />
        {problem === undefined ? (
          <div class="job-place" aria-busy="true" />
        ) : (
          <Empty icon="search" title="This job cannot be shown">
            {problem}
          </Empty>
        )}
      </div>
    );
  }
  return (
    <div class="page">
      <Back />
      <Head job={job} again={() => watch.value?.again()} openInEditor={openInEditor} />
      {problem !== undefined && <Notice kind="warn">{problem} It is tried again.</Notice>}
      {job.status.error && job.status.status !== 'completed' && (
        <Notice kind={job.status.status === 'failed' ? 'bad' : 'warn'}>
          <p>{job.status.error.message}</p>
          <p class="small">
            <code>{job.status.error.code}</code>
          </p>
        </Notice>
      )}
      <div class="job">
        <div class="job-main">
          <Preview job={job} screen={screen} />
          {(job.status.warnings ?? []).map(({ code, message, step }) => (
            <Notice kind="warn" key={`${code} ${step} ${message}`}>
              {step !== undefined && <strong>Step {step + 1}: </strong>}
              {message}
            </Notice>
          ))}
          {job.extras.artifacts.length > 0 && (
            <Downloads extras={job.extras} link={job.status.links.artifacts} open />
          )}
        </div>
        <div class="job-side">
          <Facts job={job} />
          {job.history && <History history={job.history} />}
        </div>
      </div>
    </div>
  );
}

function Back(): JSX.Element {
  return (
    <a class="back" href="/jobs" onClick={follow}>
      <Icon name="chevron" size={16} /> Jobs
    </a>
  );
}

function Head({
  job: { status, sent },
  again,
  openInEditor,
}: {
  job: WatchedJob;
  again(): void;
  openInEditor(sent: unknown): void;
}): JSX.Element {
  const isOver = ENDED.includes(status.status);
  const then = (work: Promise<boolean>): void => void work.then((done) => done && again());
  return (
    <div class="page-head">
      <div class="job-title">
        <h1>{status.title || status.jobId}</h1>
        <State job={status} />
      </div>
      <div class="page-actions">
        {!isOver && (
          <Button icon="stop" onClick={() => void cancelJob(status)}>
            Cancel
          </Button>
        )}
        {status.status === 'failed' && (
          <>
            <Button icon="trash" onClick={() => then(discardJob(status))}>
              Discard
            </Button>
            <Button icon="replay" kind="primary" onClick={() => then(replayJob(status))}>
              Replay
            </Button>
          </>
        )}
        {sent && (
          <Button icon="edit" onClick={() => openInEditor(sent)}>
            Open in the editor
          </Button>
        )}
      </div>
    </div>
  );
}

/** The preview, also while it is rendered. */
function Preview({ job, screen }: { job: WatchedJob; screen: Screen }): JSX.Element | null {
  const { status, sent, segments, extras } = job;
  const { width, height } = readResolution(sent?.previewRequest.options?.resolution);
  const isOver = ENDED.includes(status.status);
  const hasVideo = extras.artifacts.some(({ name }) => name.startsWith('preview.'));
  if (sent?.dryRun)
    return (
      <Empty icon="check" title="A dry run">
        It was planned, but not rendered.
      </Empty>
    );
  if (isOver && !hasVideo && segments.length === 0 && status.status !== 'completed') {
    return (
      <div class="stage no-video">
        <div class="stage-placeholder">
          <Icon name={status.status === 'failed' ? 'warning' : 'stop'} size={24} />
          <span>
            {status.status === 'failed'
              ? 'The job could not be rendered'
              : 'The job was cancelled before it was rendered'}
          </span>
        </div>
      </div>
    );
  }
  return (
    <Player
      screen={screen}
      ratio={width / height || 16 / 9}
      chapters={chaptersOf(job)}
      extras={extras}
      placeholder={
        <>
          <span class="spinner" />
          <span>{status.status === 'queued' ? 'Waiting for a worker' : 'Getting the preview'}</span>
        </>
      }
      badge={
        isOver ? undefined : (
          <span class="badge phase-rendering">
            <span class="badge-dot" /> {status.progress.percent} %
          </span>
        )
      }
    />
  );
}

/** The chapters of the finished preview, or before that one for each segment. */
function chaptersOf({ extras, segments, sent }: WatchedJob): Chapter[] {
  if (extras.chapters.length > 0) {
    return extras.chapters.map(({ start, end, text }, i) => ({ key: String(i), label: text, start, end }));
  }
  const request = sent?.previewRequest;
  const first = request && hasTitleCard(request) ? 1 : 0;
  return segments.map(({ index, startSeconds, endSeconds, reused }) => {
    const step = request?.steps[index - first];
    const label = step?.title || step?.text || (index === 0 && request?.title) || `Part ${index + 1}`;
    return {
      key: String(index),
      label,
      start: startSeconds,
      end: endSeconds,
      made: reused ? 'reused' : 'new',
    };
  });
}

function Facts({ job: { status } }: { job: WatchedJob }): JSX.Element {
  const now = useClock();
  const { jobId, projectId, requestId, priority = 'normal', createdAt, startedAt, finishedAt } = status;
  const waited = startedAt && Math.max(0, Date.parse(startedAt) - Date.parse(createdAt)) / 1000;
  return (
    <section class="box" aria-labelledby="facts">
      <h2 id="facts">Job</h2>
      <dl class="pairs">
        <dt>Job id</dt>
        <dd>
          <code>{jobId}</code>
        </dd>
        <dt>Project</dt>
        <dd>
          <code>{projectId}</code>
        </dd>
        <dt>Request id</dt>
        <dd>
          <code>{requestId}</code>
        </dd>
        <dt>Priority</dt>
        <dd>{priority}</dd>
        <dt>Accepted</dt>
        <dd>{dateAndTime(createdAt)}</dd>
        <dt>Waited</dt>
        <dd class="number">
          {waited === undefined || waited === '' ? 'still waiting' : `${waited.toFixed(2)} s`}
        </dd>
        <dt>{finishedAt ? 'Took' : 'Runs for'}</dt>
        <dd class="number">{tookOf(startedAt, finishedAt, now)}</dd>
      </dl>
    </section>
  );
}
