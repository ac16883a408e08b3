import { type Signal, signal } from '@preact/signals';
import type Hls from 'hls.js';
import { type HlsSource, loadHls, openHls } from './hls.ts';

/** What can be shown: a playlist, or a file. */
export type Source = (HlsSource | { file: string; at: number }) & {
  /** Only a picture, never played; the whole preview follows. */
  partial?: boolean;
};

export interface Screen {
  /** The two videos; only the front one is seen. */
  readonly videos: readonly [HTMLVideoElement, HTMLVideoElement];
  readonly time: Signal<number>;
  readonly playing: Signal<boolean>;
  /** Whether it should play but has nothing to play yet. */
  readonly waiting: Signal<boolean>;
  /** Whether there is a picture. */
  readonly hasPicture: Signal<boolean>;
  readonly front: Signal<0 | 1>;
  readonly volume: Signal<number>;
  /**
   * Shows another source. What is seen stays until the other has its picture; `now` then says at which second.
   * @returns whether it is shown; false where something newer came in between
   */
  show(source: Source, now?: () => number): Promise<boolean>;
  play(): void;
  pause(): void;
  seek(seconds: number): void;
  setVolume(volume: number): void;
  close(): void;
}

const HAVE_CURRENT_DATA = 2;
const NEAR_SECONDS = 0.2;

/** Two videos that take turns, so that a new version of a preview replaces the old one without a flash. */
export function createScreen(): Screen {
  const videos = [createVideo(), createVideo()] as const;
  const players: (Hls | undefined)[] = [undefined, undefined];
  const time = signal(0);
  const playing = signal(false);
  const waiting = signal(false);
  const hasPicture = signal(false);
  const front = signal<0 | 1>(0);
  const volume = signal(1);
  let turn = 0;
  let isPartial = false;

  const shown = (): HTMLVideoElement => videos[front.value];
  videos.forEach((video, i) => {
    const ifShown = (act: () => void) => () => {
      if (i === front.value) act();
    };
    video.addEventListener(
      'timeupdate',
      ifShown(() => (time.value = video.currentTime)),
    );
    video.addEventListener(
      'seeking',
      ifShown(() => (time.value = video.currentTime)),
    );
    video.addEventListener(
      'playing',
      ifShown(() => (waiting.value = false)),
    );
    video.addEventListener(
      'waiting',
      ifShown(() => (waiting.value = playing.value)),
    );
    video.addEventListener(
      'ended',
      ifShown(() => (playing.value = false)),
    );
  });

  const start = (video: HTMLVideoElement): void => {
    video.muted = volume.value === 0;
    video.volume = volume.value;
    video.play().catch(() => {
      // Another source took its place, or the browser wants a click first.
      if (video === shown() && video.paused) playing.value = false;
    });
  };

  const stopPlayer = (index: 0 | 1): void => {
    players[index]?.destroy();
    players[index] = undefined;
  };

  return {
    videos,
    time,
    playing,
    waiting,
    hasPicture,
    front,
    volume,
    async show(source, now) {
      const mine = ++turn;
      const isLate = (): boolean => mine !== turn;
      const back = front.value === 0 ? 1 : 0;
      const video = videos[back];
      stopPlayer(back);
      video.pause();
      if ('file' in source) {
        video.src = source.file;
        video.currentTime = source.at;
      } else {
        await loadHls();
        if (isLate()) return false;
        players[back] = await openHls(video, source);
      }
      if (!(await hasPictureAt(video, source.at, isLate))) return false;
      const wanted = now?.() ?? source.at;
      if (Math.abs(video.currentTime - wanted) > NEAR_SECONDS) {
        video.currentTime = wanted;
        if (!(await hasPictureAt(video, wanted, isLate))) return false;
      }
      const before = shown();
      front.value = back;
      isPartial = source.partial ?? false;
      hasPicture.value = true;
      waiting.value = playing.value && isPartial;
      time.value = video.currentTime;
      before.pause();
      if (playing.value && !isPartial) start(video);
      return true;
    },
    play() {
      playing.value = true;
      waiting.value = isPartial;
      if (isPartial) return;
      const video = shown();
      if (video.ended || video.currentTime >= video.duration - 0.05) video.currentTime = 0;
      start(video);
    },
    pause() {
      playing.value = false;
      waiting.value = false;
      shown().pause();
    },
    seek(seconds) {
      time.value = seconds;
      shown().currentTime = seconds;
    },
    setVolume(level) {
      volume.value = level;
      for (const video of videos) {
        video.volume = level;
        video.muted = level === 0;
      }
    },
    close() {
      turn++;
      for (const index of [0, 1] as const) {
        stopPlayer(index);
        videos[index].removeAttribute('src');
        videos[index].load();
      }
    },
  };
}

function createVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  video.playsInline = true;
  video.preload = 'auto';
  video.disablePictureInPicture = true;
  video.tabIndex = -1;
  return video;
}

/** Waits for the picture at that time. @returns false if it came too late */
function hasPictureAt(video: HTMLVideoElement, at: number, isLate: () => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const names = ['loadeddata', 'seeked', 'canplay', 'emptied', 'timeupdate'] as const;
    const look = (): void => {
      const near = Math.abs(video.currentTime - at) < NEAR_SECONDS || at > video.duration - NEAR_SECONDS;
      const ready = near && !video.seeking && video.readyState >= HAVE_CURRENT_DATA;
      if (!isLate() && !ready) return;
      for (const name of names) video.removeEventListener(name, look);
      resolve(!isLate());
    };
    for (const name of names) video.addEventListener(name, look);
    look();
  });
}
