import type { InputError } from '../api/types.ts';
import type { OutgoingJob } from './job.ts';
import type { Storyboard } from './storyboard.ts';

/** The name of a field of the page: `title`, `step.card-3.text`, `options.resolution`, `audio.music` … */
export type FieldName = string;

/** Properties of a step whose field is called otherwise. */
const stepField = (key: string, property: string): FieldName => `step.${key}.${property}`;

/**
 * The field for a JSON pointer into the job; undefined if the page has none. Mistakes in an asset are shown where the asset is
 * used first.
 */
export function fieldOf(pointer: string, board: Storyboard, job: OutgoingJob): FieldName | undefined {
  const [root, ...path] = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (root !== 'previewRequest') return undefined;
  const [part, second = '', third = '', fourth] = path;
  switch (part) {
    case 'title':
    case 'description':
      return part;
    case 'steps': {
      const key = board.cards[Number(second)]?.key;
      if (second === '' || key === undefined) return undefined;
      const property = third === 'transition' && fourth === 'durationSeconds' ? 'transitionSeconds' : third;
      return stepField(key, property || 'title');
    }
    case 'assets':
      return userOf(job.previewRequest.assets[Number(second)]?.id, board);
    case 'options':
      return second === 'brand' ? `options.${third === 'logo' ? 'logo' : 'color'}` : `options.${second}`;
    case 'audio':
      return second === 'music' && third === 'gainDb' ? 'audio.musicGain' : `audio.${second}`;
    default:
      return undefined;
  }
}

function userOf(asset: string | undefined, { cards, audio, options }: Storyboard): FieldName | undefined {
  if (asset === undefined) return undefined;
  for (const { key, step } of cards) {
    if (step.asset === asset) return stepField(key, 'asset');
    if (step.narration === asset) return stepField(key, 'narration');
  }
  if (audio.music?.asset === asset) return 'audio.music';
  if (audio.narration?.asset === asset) return 'audio.narration';
  return options.brand?.logo === asset ? 'options.logo' : undefined;
}

export interface FieldErrors {
  /** The first complaint about each field. */
  fields: ReadonlyMap<FieldName, string>;
  /** Mistakes without a field. */
  others: readonly InputError[];
}

export const NO_ERRORS: FieldErrors = { fields: new Map(), others: [] };

/** Assigns each mistake to its field. */
export function placeErrors(errors: readonly InputError[], board: Storyboard, job: OutgoingJob): FieldErrors {
  const fields = new Map<FieldName, string>();
  const others: InputError[] = [];
  for (const error of errors) {
    const field = fieldOf(error.pointer, board, job);
    if (field === undefined) others.push(error);
    else if (!fields.has(field)) fields.set(field, error.message);
  }
  return { fields, others };
}

const PLACES: Record<string, string> = {
  title: 'Title',
  description: 'Description',
  text: 'words',
  durationSeconds: 'duration',
  asset: 'picture',
  narration: 'narration',
  transition: 'transition',
  transitionSeconds: 'transition',
  motion: 'motion',
  alt: 'picture in words',
};

/** A field, in words. */
export function placeOf(field: FieldName, { cards }: Storyboard): string {
  const [part, key, name = ''] = field.split('.');
  if (part !== 'step') return PLACES[field] ?? key ?? field;
  const index = cards.findIndex((card) => card.key === key);
  return `Step ${index + 1}, ${(PLACES[name] ?? name).toLowerCase()}`;
}
