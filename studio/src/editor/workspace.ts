import { effect } from '@preact/signals';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { call, Problem } from '../api/call.ts';
import type { Access } from '../api/types.ts';
import { createScreen, type Screen } from '../player/screen.ts';
import { type OutgoingJob, toJob, usedAssets } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import { loadDraft, saveDraft } from './draft.ts';
import { type LivePreview, startLivePreview } from './livePreview.ts';
import { board, change, errors, open } from './session.ts';
import { digests, isMissing, localFiles, uploads } from './uploads.ts';

/** The editor's storyboard and its preview; they stay while other pages are looked at. */
export interface Workspace {
  projectId: string;
  screen: Screen;
  live: LivePreview;
  /** The job of the storyboard, as it would be sent now. */
  jobOf(storyboard: Storyboard, options?: { final: boolean }): OutgoingJob;
  /** Puts the example in place of what there is; that can be undone. */
  openExample(): void;
  close(): void;
}

const WITHOUT_KEYS = 'studio';

/** An id that nobody else has chosen. `crypto.randomUUID` is there on secure origins only. */
export function randomId(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return [...words].map((word) => word.toString(36)).join('');
}

/** Opens what was worked on last in this browser, and for a new visitor the example. */
export async function openWorkspace({ project = WITHOUT_KEYS }: Access): Promise<Workspace> {
  const session = randomId();
  let sent = 0;
  const screen = createScreen();
  const { loadExample, rememberExampleFiles } = await import('./example.ts');
  // A draft may have begun as the example.
  rememberExampleFiles();
  open(loadDraft() ?? loadExample());

  const jobOf: Workspace['jobOf'] = (storyboard, { final } = { final: false }) => {
    const number = ++sent;
    const head = {
      jobId: final ? `${slug(storyboard.title)}-${randomId()}` : `studio-${session}-${number}`,
      projectId: project,
      requestId: `studio-${session}-${number}`,
    };
    if (final) return toJob(storyboard, head, digests.peek());
    // What is looked at is the stream, which is MP4 whatever the finished file shall be.
    const { format: _, outputs: __, ...options } = storyboard.options;
    return toJob(
      { ...storyboard, options },
      { ...head, priority: 'high', supersedes: `studio-${session}` },
      digests.peek(),
    );
  };
  const live = startLivePreview({ board, screen, errors, jobOf, prepare: createPreparation(jobOf) });
  const stopSaving = saveDraft(board, (storyboard) =>
    toJob(storyboard, { jobId: 'draft', projectId: project, requestId: 'draft' }, digests.peek()),
  );
  return {
    projectId: project,
    screen,
    live,
    jobOf,
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

/** Waits for the files of a storyboard, and sends those that the service turns out not to have. */
function createPreparation(jobOf: Workspace['jobOf']) {
  let checked = false;
  return async (storyboard: Storyboard, onProgress: (done: number, of: number) => void): Promise<void> => {
    await settled(storyboard, onProgress);
    if (checked) return;
    checked = true;
    if (!storyboard.assets.some(({ upload }) => isFromPage(upload))) return;
    try {
      await call('/api/preview/validate', { body: jobOf(storyboard) });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'asset_missing') return;
      const { sendExampleFiles } = await import('./example.ts');
      await sendExampleFiles(onProgress);
    }
  };
}

/** Whether the file came with the page and not from a person. */
const isFromPage = (upload: string | undefined): boolean =>
  upload !== undefined && localFiles.peek().get(upload)?.url.startsWith('/') === true;

/** Resolves when every file that the storyboard uses is there. */
function settled(storyboard: Storyboard, onProgress: (done: number, of: number) => void): Promise<void> {
  const used = usedAssets(storyboard);
  const needed = storyboard.assets.filter(({ id }) => used.has(id));
  const missing = (): Asset[] => needed.filter(isMissing);
  const all = missing().length;
  if (all === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = effect(() => {
      void uploads.value;
      const left = missing().length;
      onProgress(all - left, all);
      if (left > 0) return;
      queueMicrotask(() => stop());
      resolve();
    });
  });
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
