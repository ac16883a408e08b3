import type { JSX } from 'preact';

/** Strokes on a grid of 24, drawn for this page. */
const PATHS = {
  play: 'M8 5.5v13a.6.6 0 0 0 .9.5l10.4-6.5a.6.6 0 0 0 0-1L8.9 5a.6.6 0 0 0-.9.5Z',
  pause: 'M8 5v14M16 5v14',
  undo: 'M8.5 4.5 4 9l4.5 4.5M4.5 9H14a5.5 5.5 0 0 1 0 11h-3',
  redo: 'M15.5 4.5 20 9l-4.5 4.5M19.5 9H10a5.5 5.5 0 0 0 0 11h3',
  plus: 'M12 5v14M5 12h14',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 11v5M13.7 11v5',
  grip: 'M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01',
  image: 'M4 5h16v14H4zM4 16l4.5-4.5L13 16l3-3 4 4M15.5 9.5h.01',
  voice: 'M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3ZM6 12a6 6 0 0 0 12 0M12 18v3',
  music:
    'M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-2.5-2.5A2.5 2.5 0 0 1 9 18ZM19 16a2.5 2.5 0 1 1-2.5-2.5A2.5 2.5 0 0 1 19 16Z',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 8v4.5l3 1.8',
  chevron: 'm8 10 4 4 4-4',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  upload: 'M12 16V5M7 9l5-5 5 5M5 20h14',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  captions: 'M4 5.5h16v13H4zM10.5 10.5a2 2 0 1 0 0 3M17 10.5a2 2 0 1 0 0 3',
  volume: 'M5 9.5v5h3l4.5 4V5.5L8 9.5ZM16 9a4.2 4.2 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  mute: 'M5 9.5v5h3l4.5 4V5.5L8 9.5ZM16 9.5l5 5M21 9.5l-5 5',
  full: 'M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5',
  warning: 'M12 4.5 3.5 19h17ZM12 10v4M12 16.5h.01',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  cross: 'm6 6 12 12M18 6 6 18',
  replay: 'M4.5 12a7.5 7.5 0 1 0 2.5-5.6M4 4v4.5h4.5',
  stop: 'M7 7h10v10H7z',
  transition: 'M4 5h9v14H4zM17 5h3v14h-3',
  sliders: 'M4 7h9M17 7h3M15 4.5v5M4 17h3M11 17h9M9 14.5v5',
  palette:
    'M12 4a8 8 0 0 0 0 16c1.5 0 2-1 1.5-2.2-.6-1.5.3-2.8 1.8-2.8H18a2.5 2.5 0 0 0 2-2.6A8 8 0 0 0 12 4ZM8 11h.01M11 8h.01M15 8.5h.01',
  film: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4',
  queue: 'M4 6h16M4 12h16M4 18h10',
  pulse: 'M3 12h4l2.5-6.5L14 19l2.5-7H21',
  book: 'M5 5.5A2.5 2.5 0 0 1 7.5 3H19v15H7.5A2.5 2.5 0 0 0 5 20.5ZM5 20.5A2.5 2.5 0 0 0 7.5 21H19',
  exit: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  search: 'M11 5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15.5 15.5 20 20',
  edit: 'M4 20h4L19 9l-4-4L4 16ZM13 7l4 4',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  sparkle: 'M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8Z',
} as const;

export type IconName = keyof typeof PATHS;

const FILLED: readonly IconName[] = ['play', 'stop'];
const DOTS: readonly IconName[] = ['grip', 'more'];

/** A picture that screen readers ignore: the text beside it, or the button's label, says it. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={FILLED.includes(name) ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width={DOTS.includes(name) ? 2.6 : 1.7}
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
