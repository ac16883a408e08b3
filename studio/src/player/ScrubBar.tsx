import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { clock } from '../ui/words.ts';
import type { Thumb } from './extras.ts';
import type { Screen } from './screen.ts';

/** A piece of the preview with a name; seconds. */
export interface Chapter {
  key: string;
  label: string;
  start: number;
  end: number;
  /** What became of its segment, where that is known. */
  made?: 'new' | 'reused' | 'pending';
}

const STEP_SECONDS = 1;

/** The position, with chapters, and the picture and name of the chapter under the pointer. */
export function ScrubBar({
  screen,
  chapters,
  thumbs,
  onSeek,
}: {
  screen: Screen;
  chapters: readonly Chapter[];
  thumbs: readonly Thumb[];
  onSeek(seconds: number): void;
}): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  const track = useRef<HTMLDivElement>(null);
  const pointed = useSignal<number | undefined>(undefined);
  const length = chapters.at(-1)?.end ?? 0;
  const time = Math.min(screen.time.value, length);
  const chapter = chapters.find(({ end }) => time < end) ?? chapters.at(-1);

  const secondsAt = (event: PointerEvent): number => {
    const { left, width } = track.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return Math.max(0, Math.min(1, (event.clientX - left) / width)) * length;
  };
  const onDown = (event: PointerEvent): void => {
    bar.current?.setPointerCapture(event.pointerId);
    onSeek(secondsAt(event));
  };
  const onMove = (event: PointerEvent): void => {
    pointed.value = secondsAt(event);
    if (event.buttons === 1) onSeek(secondsAt(event));
  };
  const onKey = (event: KeyboardEvent): void => {
    const at = chapters.findIndex(({ end }) => time < end - 0.01);
    const to: Record<string, number | undefined> = {
      ArrowLeft: time - STEP_SECONDS,
      ArrowRight: time + STEP_SECONDS,
      ArrowDown: time - STEP_SECONDS,
      ArrowUp: time + STEP_SECONDS,
      PageDown: chapters[at - 1]?.start ?? 0,
      PageUp: chapters[at + 1]?.start,
      Home: 0,
      End: length,
    };
    const seconds = to[event.key];
    if (seconds === undefined) return;
    event.preventDefault();
    onSeek(seconds);
  };

  return (
    <div
      class="scrub"
      ref={bar}
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(length)}
      aria-valuenow={Math.round(time)}
      aria-valuetext={`${clock(time)} of ${clock(length)}${chapter ? `, ${chapter.label}` : ''}`}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerLeave={() => (pointed.value = undefined)}
      onKeyDown={onKey}
    >
      <div class="scrub-track" ref={track}>
        {chapters.map(({ key, start, end, made }) => (
          <span key={key} class={`scrub-part ${made ?? ''}`} style={{ flexGrow: end - start }}>
            <span
              class="scrub-played"
              style={{ width: `${Math.max(0, Math.min(1, (time - start) / (end - start))) * 100}%` }}
            />
          </span>
        ))}
      </div>
      {length > 0 && <span class="scrub-thumb" style={{ '--at': time / length }} />}
      {pointed.value !== undefined && length > 0 && (
        <Tip seconds={pointed.value} length={length} chapters={chapters} thumbs={thumbs} />
      )}
    </div>
  );
}

function Tip({
  seconds,
  length,
  chapters,
  thumbs,
}: {
  seconds: number;
  length: number;
  chapters: readonly Chapter[];
  thumbs: readonly Thumb[];
}): JSX.Element {
  const thumb = thumbs.find(({ end }) => seconds < end) ?? thumbs.at(-1);
  const chapter = chapters.find(({ end }) => seconds < end) ?? chapters.at(-1);
  return (
    <span class="scrub-tip" style={{ '--at': seconds / length }}>
      {thumb && <Sprite thumb={thumb} />}
      <span class="scrub-tip-words">
        <strong>{clock(seconds)}</strong> {chapter?.label}
      </span>
    </span>
  );
}

/** One picture of the sheet, as large as it is there. */
export function Sprite({ thumb }: { thumb: Thumb }): JSX.Element {
  return (
    <span
      class="sprite"
      style={{
        width: `${thumb.width}px`,
        height: `${thumb.height}px`,
        backgroundImage: `url("${thumb.url}")`,
        backgroundPosition: `-${thumb.x}px -${thumb.y}px`,
      }}
    />
  );
}
