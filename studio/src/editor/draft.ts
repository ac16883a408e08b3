import { effect, type ReadonlySignal } from '@preact/signals';
import { fromJob, type OutgoingJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';

const NAME = 'preview-studio-draft';
const PAUSE_MS = 400;

/** What was worked on last in this browser. */
export function loadDraft(): Storyboard | undefined {
  try {
    const saved = localStorage.getItem(NAME);
    return saved === null ? undefined : fromJob(JSON.parse(saved));
  } catch {
    // Not readable, or not allowed: then there is none.
    return undefined;
  }
}

/** Keeps the storyboard in this browser, so that a closed tab loses nothing. @returns what ends it */
export function saveDraft(
  board: ReadonlySignal<Storyboard>,
  jobOf: (board: Storyboard) => OutgoingJob,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const first = board.peek();
  return effect(() => {
    const now = board.value;
    if (now === first) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      try {
        localStorage.setItem(NAME, JSON.stringify(jobOf(now)));
      } catch {
        // Full, or not allowed: the storyboard can still be exported.
      }
    }, PAUSE_MS);
  });
}
