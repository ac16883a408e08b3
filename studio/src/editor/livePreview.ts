import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { call, send, wordsOf } from '../api/call.ts';
import { readEvents } from '../api/events.ts';
import { Problem, passes } from '../api/problem.ts';
import type { JobStatus, SegmentEvent } from '../api/types.ts';
import { type Extras, loadExtras, NO_EXTRAS } from '../player/extras.ts';
import { endAfter, pictureUrl, readPlaylist, waitingFor } from '../player/playlist.ts';
import type { Screen } from '../player/screen.ts';
import { type FieldErrors, NO_ERRORS, placeErrors } from '../storyboard/fields.ts';
import type { OutgoingJob } from '../storyboard/job.ts';
import type { Storyboard } from '../storyboard/storyboard.ts';
import {
  changedKey,
  keysOf,
  moveTime,
  restingTime,
  type Span,
  spanAt,
  spansOf,
} from '../storyboard/timeline.ts';
import type { FileCheck } from './fileCheck.ts';
import { isAboutFile } from './fileReasons.ts';

/** How far the newest change is on its way to the screen. */
export type Phase =
  | { name: 'idle' | 'typing' | 'sending' | 'rendering' | 'ready' }
  | { name: 'uploading'; done: number; of: number }
  | { name: 'invalid' }
  /** The queue is full, or the service is away for a moment: it is tried again by itself. */
  | { name: 'waiting'; words: string; seconds: number }
  | { name: 'failed'; words: string };

/** An accepted job and its result. */
export interface Version {
  board: Storyboard;
  status: JobStatus;
  keys: readonly string[];
  segments: readonly SegmentEvent[];
  /** Seconds from sending it to its end. */
  seconds?: number;
  extras: Extras;
}

export interface LivePreview {
  phase: Signal<Phase>;
  /** The newest job. */
  version: Signal<Version | undefined>;
  /** Whether all of the newest version is on the screen, and not only the picture that was changed. */
  whole: Signal<boolean>;
  /** The times of title card and steps in what the screen shows. */
  spans: Signal<readonly Span[]>;
  /** Shows a card unless something is playing. */
  look(key: string): void;
  /** Sends the storyboard again after it could not be sent. */
  again(): void;
  close(): void;
}

const PAUSE_MS = 250;
const RETRY_SECONDS = 3;

/** Sends a job at each pause in typing, which replaces the one before, and shows what it renders. */
export function startLivePreview({
  board,
  screen,
  errors,
  jobOf,
  files,
}: {
  board: ReadonlySignal<Storyboard>;
  screen: Screen;
  errors: Signal<FieldErrors>;
  jobOf(board: Storyboard): OutgoingJob;
  files: FileCheck;
}): LivePreview {
  const phase = signal<Phase>({ name: 'idle' });
  const version = signal<Version | undefined>(undefined);
  const whole = signal(false);
  const spans = signal<readonly Span[]>([]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current = new AbortController();
  let sent: Storyboard | undefined;
  /** What to show as soon as possible. */
  let wanted: string | undefined;

  const schedule = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void sendBoard(), ms);
  };

  const sendBoard = async (): Promise<void> => {
    current.abort();
    const mine = new AbortController();
    current = mine;
    const { signal } = mine;
    const started = performance.now();
    whole.value = false;
    wanted = undefined;
    const onProgress = (done: number, of: number): void => {
      if (!signal.aborted) phase.value = { name: 'uploading', done, of };
    };
    try {
      await files.prepare(() => board.value, onProgress);
      if (signal.aborted) return;
      // A file that has arrived has changed the storyboard, and this sends it.
      clearTimeout(timer);
      const now = board.peek();
      const focus = sent && changedKey(sent, now);
      phase.value = { name: 'sending' };
      const job = jobOf(now);
      const status = await post(job, now, signal);
      if (!status || signal.aborted) return;
      sent = now;
      errors.value = NO_ERRORS;
      const keys = keysOf(now);
      version.value = { board: now, status, keys, segments: [], extras: NO_EXTRAS };
      phase.value = { name: 'rendering' };
      const early = showEarly(status, keys, focus, signal).catch(() => false);
      const ended = await follow(status, signal);
      if (signal.aborted) return;
      if (ended.status !== 'completed') {
        const isPutRight = isAboutFile(ended.error?.code ?? '') && (await files.explain(now, onProgress));
        if (signal.aborted) return;
        if (isPutRight) schedule(0);
        else phase.value = { name: 'failed', words: reasonOf(ended) };
        return;
      }
      patch({ seconds: (performance.now() - started) / 1000 }, signal);
      phase.value = { name: 'ready' };
      const isWhole = await early;
      await Promise.all([
        showWhole(status, keys, isWhole, signal),
        loadExtras(status.links.artifacts).then((extras) => patch({ extras }, signal)),
      ]);
    } catch (error) {
      if (!signal.aborted) giveUp(error);
    }
  };

  /** @returns undefined if the API refuses the content of the job */
  const post = async (
    job: OutgoingJob,
    now: Storyboard,
    signal: AbortSignal,
  ): Promise<JobStatus | undefined> => {
    try {
      return await call<JobStatus>('/api/preview/job', { body: job, signal });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'invalid_payload') throw error;
      if (signal.aborted) return undefined;
      errors.value = placeErrors(error.errors, now, job);
      phase.value = { name: 'invalid' };
      return undefined;
    }
  };

  const giveUp = (error: unknown): void => {
    if (!passes(error)) {
      phase.value = { name: 'failed', words: wordsOf(error) };
      return;
    }
    const seconds = error.retryAfterSeconds ?? RETRY_SECONDS;
    phase.value = { name: 'waiting', words: wordsOf(error), seconds };
    schedule(seconds * 1000);
  };

  /**
   * Shows the new version as soon as it has what is to be seen. While it plays, that is the stream from where it is;
   * while it stands, the one picture that was changed, and the whole follows at the job's end.
   * @returns whether it is the whole stream that is shown
   */
  const showEarly = async (
    { links }: JobStatus,
    keys: readonly string[],
    focus: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const seen = spanAt(spans.peek(), screen.time.peek())?.key;
    const playing = screen.playing.peek();
    const key = playing ? seen : (focus ?? seen);
    const index = Math.max(0, keys.indexOf(key ?? ''));
    const url = pictureUrl(links.stream);
    const text = await (await send(waitingFor(url, index), { signal })).text();
    const next = spansOf(keys, readPlaylist(text).seconds);
    const target = next[index] ?? next.at(-1);
    if (signal.aborted || !target) return false;
    const stays = target.key === seen && screen.hasPicture.peek();
    const moved = (): number => moveTime(screen.time.peek(), spans.peek(), next);
    const at = playing || stays ? moved() : restingTime(target);
    const source = playing
      ? { url: links.stream, at }
      : { url, text: endAfter(text, index + 1), at, partial: true };
    const isShown = await screen.show(source, playing ? moved : undefined);
    if (isShown) spans.value = next;
    return isShown && playing;
  };

  const patch = (change: Partial<Version>, signal: AbortSignal): void => {
    const now = version.peek();
    if (now && !signal.aborted) version.value = { ...now, ...change };
  };

  /** Follows the job to its end. @returns how it ended */
  const follow = async (status: JobStatus, signal: AbortSignal): Promise<JobStatus> => {
    let last = status;
    await readEvents(
      status.links.events,
      ({ name, data }) => {
        if (name === 'status') last = data as JobStatus;
        if (name === 'status') patch({ status: last }, signal);
        if (name !== 'segment') return;
        patch({ segments: [...(version.peek()?.segments ?? []), data as SegmentEvent] }, signal);
      },
      signal,
    );
    return last;
  };

  const showWhole = async (
    { links }: JobStatus,
    keys: readonly string[],
    isWhole: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    const text = await (await send(pictureUrl(links.stream), { signal })).text();
    const next = spansOf(keys, readPlaylist(text).seconds);
    if (signal.aborted) return;
    const now = (): number => {
      const span = next.find(({ key }) => key === wanted);
      return span ? restingTime(span) : moveTime(screen.time.peek(), spans.peek(), next);
    };
    if (isWhole || (await screen.show({ url: links.stream, at: now() }, now))) {
      spans.value = next;
      whole.value = true;
    }
  };

  const stop = effect(() => {
    const now = board.value;
    const { name } = phase.peek();
    // If a refused change is undone, the version before it is sent again, because its preview was given up.
    if (now === sent && (name === 'ready' || name === 'rendering')) return;
    phase.value = { name: 'typing' };
    schedule(sent === undefined ? 0 : PAUSE_MS);
  });

  return {
    phase,
    version,
    whole,
    spans,
    look(key) {
      const span = spans.peek().find((one) => one.key === key);
      if (!whole.peek()) wanted = key;
      if (
        !whole.peek() ||
        !span ||
        screen.playing.peek() ||
        spanAt(spans.peek(), screen.time.peek())?.key === key
      )
        return;
      screen.seek(restingTime(span));
    },
    again: () => schedule(0),
    close() {
      stop();
      clearTimeout(timer);
      current.abort();
    },
  };
}

const reasonOf = ({ status, error }: JobStatus): string =>
  error?.code === 'superseded' ? SUPERSEDED : (error?.message ?? `The job is ${status}.`);

const SUPERSEDED = 'This storyboard is being edited in another window. Its preview has replaced this one.';
