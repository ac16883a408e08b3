import { hasTitleCard } from '../../../src/job/titleCard.ts';
import type { Storyboard } from './storyboard.ts';

/** One thing on the screen: the title card, whose key is `title`, or a step. Seconds from the preview's start. */
export interface Span {
  key: string;
  start: number;
  end: number;
}

export const TITLE_KEY = 'title';

/** The keys of what is shown, in order. */
export function keysOf({ title, description, cards }: Storyboard): string[] {
  return [
    ...(hasTitleCard({ title, description, steps: cards }) ? [TITLE_KEY] : []),
    ...cards.map(({ key }) => key),
  ];
}

/** Lays what is shown on the timeline, as far as its lengths are known. */
export function spansOf(keys: readonly string[], seconds: readonly number[]): Span[] {
  let end = 0;
  return keys.slice(0, seconds.length).map((key, i) => {
    const start = end;
    end += seconds[i] ?? 0;
    return { key, start, end };
  });
}

export const spanAt = (spans: readonly Span[], time: number): Span | undefined =>
  spans.find(({ end }) => time < end - 1e-6) ?? spans.at(-1);

/** Left of a span's end, so that it is still shown. */
const MARGIN = 0.08;

/** The time in `to` that corresponds to `time` in `from`: the same step, equally long after its start. */
export function moveTime(time: number, from: readonly Span[], to: readonly Span[]): number {
  const old = spanAt(from, time);
  const now = to.find(({ key }) => key === old?.key);
  const last = to.at(-1)?.end ?? 0;
  if (!old || !now) return Math.max(0, Math.min(time, last - MARGIN));
  return Math.min(now.start + Math.max(0, time - old.start), Math.max(now.start, now.end - MARGIN));
}

/** A time at which a step can be seen undisturbed: after its transition, before the next one. */
export const restingTime = ({ start, end }: Span): number => start + Math.min(1, (end - start) * 0.35);

/** The key of the one step that differs between two storyboards; undefined if more differs. */
export function changedKey(before: Storyboard, after: Storyboard): string | undefined {
  if (before.title !== after.title || before.description !== after.description) return TITLE_KEY;
  const old = new Map(before.cards.map((card) => [card.key, card.step]));
  return after.cards.find(({ key, step }) => old.get(key) !== step)?.key;
}
