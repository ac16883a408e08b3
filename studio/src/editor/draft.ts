import { effect, type ReadonlySignal } from '@preact/signals';
import { usedFiles } from '../storyboard/files.ts';
import { fromJob, type OutgoingJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import { failures, type KeptFile, localFiles, recall } from './uploads.ts';

const NAME = 'preview-studio-draft';
const PAUSE_MS = 400;

/** What was worked on last in this browser. */
export function loadDraft(): Storyboard | undefined {
  try {
    const saved = localStorage.getItem(NAME);
    if (saved === null) return undefined;
    const draft = JSON.parse(saved);
    const board = fromJob(draft);
    recall(draft.files ?? {});
    return board;
  } catch {
    // Not readable, or not allowed: then there is none.
    return undefined;
  }
}

/** Keeps the storyboard in this browser, so that a closed tab loses nothing. @returns a function that stops this */
export function saveDraft(
  board: ReadonlySignal<Storyboard>,
  jobOf: (board: Storyboard) => OutgoingJob,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const first = { board: board.peek(), failed: failures.peek() };
  return effect(() => {
    const [now, failed] = [board.value, failures.value];
    if (now === first.board && failed === first.failed) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        localStorage.setItem(NAME, JSON.stringify({ ...jobOf(now), files: filesOf(now) }));
      } catch {
        // Full, or not allowed: the storyboard can still be exported.
      }
    }, PAUSE_MS);
  });
}

/** What a job does not contain about its files: their names, and why some of them cannot be used. */
function filesOf(board: Storyboard): Record<string, KeptFile> {
  const kept = usedFiles(board).flatMap(({ asset: { upload = '' } }): [string, KeptFile][] => {
    const name = localFiles.peek().get(upload)?.name;
    const failure = failures.peek().get(upload);
    // Files that might be sent later are lost with the page.
    const reason = failure?.mayRetry ? undefined : failure?.reason;
    return name === undefined ? [] : [[upload, { name, reason }]];
  });
  return Object.fromEntries(kept);
}
