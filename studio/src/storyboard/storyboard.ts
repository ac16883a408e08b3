import type { Asset, AudioOptions, Options, Step } from '../../../src/job/previewJob.types.ts';

/** A number as it was typed. Text that is not a number is sent unchanged, and the API refuses it with its place. */
export type TypedNumber = number | string;

/** A step while it is edited. */
export type DraftStep = Omit<Step, 'durationSeconds' | 'transition'> & {
  durationSeconds?: TypedNumber;
  transition?: { type: NonNullable<Step['transition']>['type']; durationSeconds?: TypedNumber };
};

/** A step and the key by which the page knows it, wherever it is moved. */
export interface Card {
  key: string;
  step: DraftStep;
}

export type DraftOptions = Omit<Options, 'fps'> & { fps?: TypedNumber };
export type DraftAudio = Omit<AudioOptions, 'loudnessLufs'> & { loudnessLufs?: TypedNumber };

/** A storyboard while it is edited. Never changed in place: each change makes another one. */
export interface Storyboard {
  title: string;
  description: string;
  cards: readonly Card[];
  /** Includes assets that nothing uses any more, because undo may bring them back. */
  assets: readonly Asset[];
  audio: DraftAudio;
  options: DraftOptions;
  /** What an imported job says beyond that; exported as it came. */
  rest: { chapterId?: string; metadata?: Record<string, unknown>; webhook?: unknown; priority?: string };
}

export const EMPTY: Storyboard = {
  title: '',
  description: '',
  cards: [],
  assets: [],
  audio: {},
  options: {},
  rest: {},
};

let keys = 0;
/** A key that no other card of this page has. */
export const newKey = (): string => `card-${++keys}`;

export function patchCard(board: Storyboard, key: string, patch: Partial<DraftStep>): Storyboard {
  const cards = board.cards.map((card) =>
    card.key === key ? { ...card, step: withoutEmpty({ ...card.step, ...patch }) } : card,
  );
  return { ...board, cards };
}

/** Puts the card at `to`, counted after it was taken out. */
export function moveCard(board: Storyboard, key: string, to: number): Storyboard {
  const card = board.cards.find((one) => one.key === key);
  if (!card) return board;
  const others = board.cards.filter((one) => one !== card);
  const at = Math.max(0, Math.min(others.length, to));
  return { ...board, cards: [...others.slice(0, at), card, ...others.slice(at)] };
}

export function addCard(board: Storyboard, step: DraftStep, at = board.cards.length): [Storyboard, string] {
  const key = newKey();
  const cards = [...board.cards.slice(0, at), { key, step }, ...board.cards.slice(at)];
  return [{ ...board, cards }, key];
}

/** The copy stands right behind its original. Its id is left out: ids are unique. */
export function duplicateCard(board: Storyboard, key: string): [Storyboard, string] {
  const at = board.cards.findIndex((card) => card.key === key);
  const { id: _, ...step } = board.cards[at]?.step ?? {};
  return addCard(board, step, at + 1);
}

export const removeCard = (board: Storyboard, key: string): Storyboard => ({
  ...board,
  cards: board.cards.filter((card) => card.key !== key),
});

export function patchOptions(board: Storyboard, patch: Partial<DraftOptions>): Storyboard {
  const options = withoutEmpty({ ...board.options, ...patch });
  if (options.brand && Object.keys(withoutEmpty({ ...options.brand })).length === 0) delete options.brand;
  return { ...board, options };
}

export const patchAudio = (board: Storyboard, patch: Partial<DraftAudio>): Storyboard => ({
  ...board,
  audio: withoutEmpty({ ...board.audio, ...patch }),
});

/** Adds an asset under an id that is made of its file's name. */
export function addAsset(board: Storyboard, name: string, asset: Omit<Asset, 'id'>): [Storyboard, string] {
  const id = freeId(
    name,
    board.assets.map((known) => known.id),
  );
  return [{ ...board, assets: [...board.assets, { ...asset, id } as Asset] }, id];
}

/** An id out of a file's name: `Grüße 1.jpg` is `Gru-e-1`, and where that is taken `Gru-e-1-2`. */
export function freeId(name: string, taken: readonly string[]): string {
  const stem = name
    .replace(/\.[^.]*$/, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  const base = stem || 'file';
  let id = base;
  for (let count = 2; taken.includes(id); count++) id = `${base}-${count}`;
  return id;
}

/** An emptied field removes the property. */
export function withoutEmpty<Values extends object>(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ''),
  ) as Values;
}
