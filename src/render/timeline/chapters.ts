import { secondsOf, type Timeline } from './timeline.ts';

export interface Chapter {
  startSeconds: number;
  endSeconds: number;
  title: string;
}

/** A chapter for each entry of the timeline. */
export const chaptersOf = ({ entries, fps }: Timeline): Chapter[] =>
  entries.map((entry) => ({ ...secondsOf(entry, fps), title: entry.label }));
