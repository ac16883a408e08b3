import type { Cue } from '../timeline/captions.ts';

/** WebVTT (https://www.w3.org/TR/webvtt1/). */
export function formatVtt(cues: readonly Cue[]): string {
  const blocks = cues.map(
    (cue) =>
      `${clock(cue.startSeconds, '.')} --> ${clock(cue.endSeconds, '.')}\n${cue.lines.map(escapeVtt).join('\n')}\n`,
  );
  return ['WEBVTT\n', ...blocks].join('\n');
}

/** SubRip: numbered, with a comma before the milliseconds. */
export function formatSrt(cues: readonly Cue[]): string {
  return cues
    .map(
      (cue, i) =>
        `${i + 1}\n${clock(cue.startSeconds, ',')} --> ${clock(cue.endSeconds, ',')}\n${cue.lines.join('\n')}\n`,
    )
    .join('\n');
}

/** `-->` and markup have a meaning in WebVTT; words have none. */
const escapeVtt = (line: string): string =>
  line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** hours:minutes:seconds and milliseconds behind `point`. */
export function clock(seconds: number, point: '.' | ','): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const fraction = String(ms % 1000).padStart(3, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${point}${fraction}`;
}
