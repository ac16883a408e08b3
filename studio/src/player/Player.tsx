import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { IconButton } from '../ui/controls.tsx';
import { clock } from '../ui/words.ts';
import type { Extras } from './extras.ts';
import { type Chapter, ScrubBar } from './ScrubBar.tsx';
import type { Screen } from './screen.ts';

const SKIP_SECONDS = 5;

export interface PlayerProps {
  screen: Screen;
  /** Width over height. */
  ratio: number;
  chapters: readonly Chapter[];
  extras: Extras;
  /** Shown in place of the picture until there is one. */
  placeholder: ComponentChildren;
  /** Above the picture, in its corner. */
  badge?: ComponentChildren;
}

/** The preview with its controls. Space plays, the arrow keys move, C shows captions, M mutes, F fills the screen. */
export function Player({ screen, ratio, chapters, extras, placeholder, badge }: PlayerProps): JSX.Element {
  const frame = useRef<HTMLElement>(null);
  // The words stand in most pictures already.
  const captionsOn = useSignal(false);
  const { time, playing, waiting, volume, hasPicture } = screen;
  const length = chapters.at(-1)?.end ?? 0;
  const toggle = (): void => (playing.value ? screen.pause() : screen.play());
  const toggleFull = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void frame.current?.requestFullscreen();
  };
  const seek = (seconds: number): void => screen.seek(Math.max(0, Math.min(length - 0.05, seconds)));

  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    const acts: Record<string, () => void> = {
      ...(onButton ? {} : { ' ': toggle }),
      k: toggle,
      c: () => (captionsOn.value = !captionsOn.value),
      m: () => screen.setVolume(volume.value === 0 ? 1 : 0),
      f: toggleFull,
      ...(event.target instanceof HTMLInputElement
        ? {}
        : {
            ArrowLeft: () => seek(time.value - SKIP_SECONDS),
            ArrowRight: () => seek(time.value + SKIP_SECONDS),
          }),
    };
    const act = acts[event.key];
    if (!act || event.defaultPrevented) return;
    event.preventDefault();
    act();
  };

  return (
    <section class="player" ref={frame} onKeyDown={onKey} aria-label="Player">
      {/* A click on the picture is a short way to the button below it. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button "Play" does the same by keyboard */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <div class="stage" style={{ aspectRatio: String(ratio) }} onClick={toggle}>
        <Videos screen={screen} />
        {!hasPicture.value && <div class="stage-placeholder">{placeholder}</div>}
        {captionsOn.value && <Caption screen={screen} extras={extras} />}
        {waiting.value && <span class="spinner" role="status" aria-label="Loading" />}
        {hasPicture.value && !playing.value && <span class="stage-play" aria-hidden="true" />}
        {badge && <div class="stage-badge">{badge}</div>}
      </div>
      <ScrubBar screen={screen} chapters={chapters} thumbs={extras.thumbs} onSeek={seek} />
      <div class="controls">
        <IconButton
          icon={playing.value ? 'pause' : 'play'}
          label={playing.value ? 'Pause' : 'Play'}
          disabled={!hasPicture.value}
          onClick={toggle}
        />
        <span class="time">
          <Clock screen={screen} /> <span class="muted">/ {clock(length)}</span>
        </span>
        <span class="controls-space" />
        <IconButton
          icon="captions"
          label={captionsOn.value ? 'Hide captions' : 'Show captions'}
          aria-pressed={captionsOn.value}
          onClick={() => (captionsOn.value = !captionsOn.value)}
        />
        <IconButton
          icon={volume.value === 0 ? 'mute' : 'volume'}
          label={volume.value === 0 ? 'Unmute' : 'Mute'}
          onClick={() => screen.setVolume(volume.value === 0 ? 1 : 0)}
        />
        <IconButton icon="full" label="Full screen" onClick={toggleFull} />
      </div>
    </section>
  );
}

/** The two videos are elements of the screen's own, put into the page here. */
function Videos({ screen }: { screen: Screen }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    place.current?.replaceChildren(...screen.videos);
  }, [screen]);
  const front = screen.front.value;
  useEffect(() => {
    for (const [i, video] of screen.videos.entries()) video.classList.toggle('front', i === front);
  }, [screen, front]);
  return (
    <div class={`videos ${screen.hasPicture.value ? '' : 'empty-videos'}`} ref={place} aria-hidden="true" />
  );
}

/** In parts of their own, so that only they are drawn anew while it plays. */
function Clock({ screen }: { screen: Screen }): JSX.Element {
  return <span>{clock(screen.time.value)}</span>;
}

function Caption({ screen, extras }: { screen: Screen; extras: Extras }): JSX.Element | null {
  const time = screen.time.value;
  const cue = extras.captions.find(({ start, end }) => time >= start && time < end);
  return cue ? <p class="caption">{cue.text}</p> : null;
}
