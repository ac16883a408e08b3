import { call } from '../api/call.ts';
import { Problem } from '../api/problem.ts';
import type { Access, JobStatus } from '../api/types.ts';
import { createScreen, type Screen } from '../player/screen.ts';
import { placeErrors } from '../storyboard/fields.ts';
import { usedFiles, withoutFiles } from '../storyboard/files.ts';
import { type OutgoingJob, toJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import { loadDraft, saveDraft } from './draft.ts';
import { arrived, createFileCheck } from './fileCheck.ts';
import { type LivePreview, startLivePreview } from './livePreview.ts';
import { randomId } from './randomId.ts';
import { board, change, errors, open } from './session.ts';
import { isMissing, limitUploads, nameOf } from './uploads.ts';

/** The editor's storyboard and its preview. They are kept while other pages are open. */
export interface Workspace {
  projectId: string;
  screen: Screen;
  live: LivePreview;
  /** Sends the storyboard as a job of its own, as it is when its files have been sent. @throws Problem */
  render(): Promise<{ status: JobStatus; leftOut: string[] }>;
  /** The job of the storyboard as it is when its files have been sent. */
  exported(): Promise<FinalJob>;
  /** Replaces the storyboard by the example; that can be undone. */
  openExample(): void;
  close(): void;
}

/** A job that no other job replaces. */
interface FinalJob {
  job: OutgoingJob;
  /** The names of files that it leaves out because they cannot be used. */
  leftOut: string[];
}

const WITHOUT_KEYS = 'studio';

/** Opens the last storyboard of this browser, or the example for a new visitor. */
export async function openWorkspace({ project = WITHOUT_KEYS, uploadMaxBytes }: Access): Promise<Workspace> {
  limitUploads(uploadMaxBytes);
  const session = randomId();
  let sent = 0;
  const screen = createScreen();
  const { loadExample, rememberExampleFiles } = await import('./example.ts');
  // A draft may have begun as the example.
  rememberExampleFiles();
  open(loadDraft() ?? loadExample());

  const idOf = (number: number): string => `studio-${session}-${number}`;
  /** The preview plays the stream, which is MP4 whatever the format of the finished file is. */
  const previewOf = (storyboard: Storyboard): OutgoingJob => {
    const usable = withoutFiles(storyboard, isMissing);
    const { format: _, outputs: __, ...options } = usable.options;
    const id = idOf(++sent);
    const head = { jobId: id, projectId: project, requestId: id, supersedes: `studio-${session}` };
    return toJob({ ...usable, options }, { ...head, priority: 'high' });
  };
  const finalOf = (storyboard: Storyboard): FinalJob => {
    const jobId = `${slug(storyboard.title)}-${randomId()}`;
    const head = { jobId, projectId: project, requestId: idOf(++sent) };
    const missing = usedFiles(storyboard).filter(({ asset }) => isMissing(asset));
    return {
      job: toJob(withoutFiles(storyboard, isMissing), head),
      leftOut: missing.map(({ asset }) => nameOf(asset)),
    };
  };
  const files = createFileCheck(previewOf);
  const live = startLivePreview({ board, screen, errors, jobOf: previewOf, files });
  const stopSaving = saveDraft(board, (storyboard) =>
    toJob(storyboard, { jobId: 'draft', projectId: project, requestId: 'draft' }),
  );
  return {
    projectId: project,
    screen,
    live,
    async render() {
      await arrived(() => board.value);
      await files.prepare(
        () => board.value,
        () => undefined,
      );
      const now = board.peek();
      const { job, leftOut } = finalOf(now);
      try {
        return { status: await call<JobStatus>('/api/preview/job', { body: job }), leftOut };
      } catch (error) {
        if (error instanceof Problem) errors.value = placeErrors(error.errors, now, job);
        throw error;
      }
    },
    async exported() {
      await arrived(() => board.value);
      return finalOf(board.peek());
    },
    openExample() {
      change(loadExample);
    },
    close() {
      live.close();
      stopSaving();
      screen.close();
    },
  };
}

/** A title as an id: `Brew a better cup` is `brew-a-better-cup`. */
function slug(title: string): string {
  const words = title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return words || 'preview';
}
