import type { JSX } from 'preact';
import type { ListedJob } from '../api/types.ts';
import { capital, Progress } from '../ui/controls.tsx';

/** The state of a job, as a word and a colour, with its progress while it is rendered. */
export function State({ job }: { job: ListedJob }): JSX.Element {
  const { status, error, progress } = job;
  const word = error?.code === 'superseded' ? 'Superseded' : capital(status);
  return (
    <span class="state-place">
      <span class={`state state-${status}`}>
        <span class="state-dot" />
        {word}
      </span>
      {status === 'rendering' && <Progress value={progress.percent} label={`Progress of ${job.jobId}`} />}
    </span>
  );
}
