import type { Asset } from '../../../src/job/previewJob.types.ts';
import { showing, type Use } from '../storyboard/files.ts';
import {
  addAsset,
  addCard,
  patchAudio,
  patchCard,
  patchOptions,
  type Storyboard,
} from '../storyboard/storyboard.ts';
import { announce, tell } from '../ui/announce.tsx';
import { firstKindFor, kindFor, kindOf } from './fileReasons.ts';
import { change } from './session.ts';
import { addFile, failures } from './uploads.ts';

/** Lets a person choose files. */
export function chooseFiles(accept: string, multiple = false): Promise<File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.multiple = multiple;
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}

export const PICTURES = 'image/jpeg,image/png,image/webp,image/avif,video/mp4,video/webm';
export const LOGOS = 'image/png,image/webp,image/jpeg,image/avif';
export const SOUNDS = 'audio/*';

const PLACES: Record<Use, string> = {
  picture: 'the picture of the step',
  narration: 'the narration of the step',
  music: 'the music',
  logo: 'the logo',
};

/**
 * Sends a file and puts it in its place. A file that cannot be used is put there, too, so that its reason is shown there.
 * @returns whether it can be used, as far as is known now
 */
function put(file: File, use: Use, place: (board: Storyboard, asset: Asset) => Storyboard): boolean {
  const upload = addFile(file, use);
  const type = firstKindFor(use, file.type);
  change((before) => {
    const [board, id] = addAsset(before, file.name, { type, upload });
    return place(board, { id, type, upload });
  });
  if (failures.peek().has(upload)) return false;
  announce(`${file.name} is ${PLACES[use]}.`);
  return true;
}

/** Puts a picture or a video into a step. */
export const setPicture = (key: string, file: File): boolean =>
  put(file, 'picture', (board, asset) => patchCard(board, key, showing(asset)));

export const setNarration = (key: string, file: File): boolean =>
  put(file, 'narration', (board, { id }) => patchCard(board, key, { narration: id }));

/** The narration of an imported job that has one for the whole preview. */
export const setNarrationTrack = (file: File): boolean =>
  put(file, 'narration', (board, { id }) =>
    patchAudio(board, { narration: { ...board.audio.narration, asset: id } }),
  );

export const setMusic = (file: File): boolean =>
  put(file, 'music', (board, { id }) =>
    patchAudio(board, { music: { gainDb: -12, ...board.audio.music, asset: id } }),
  );

export const setLogo = (file: File): boolean =>
  put(file, 'logo', (board, { id }) => patchOptions(board, { brand: { ...board.options.brand, logo: id } }));

/** Files that were dropped on a step: a picture is shown, a sound is its narration. */
export function dropOnCard(key: string, files: readonly File[]): void {
  for (const file of files) {
    if (kindOf(file.type) === 'audio') setNarration(key, file);
    else setPicture(key, file);
  }
}

/** Files that were dropped beside the steps: each picture becomes a step, a sound the music. */
export function dropOnBoard(files: readonly File[], at?: number): void {
  const pictures = files.filter(({ type }) => kindFor('picture', type));
  const sounds = files.filter(({ type }) => kindOf(type) === 'audio');
  const placed = [
    ...sounds.map(setMusic),
    ...pictures.map((file, i) =>
      put(
        file,
        'picture',
        (board, asset) => addCard(board, showing(asset), at === undefined ? undefined : at + i)[0],
      ),
    ),
  ];
  const others = files.filter((file) => !pictures.includes(file) && !sounds.includes(file));
  if (others.length > 0) {
    const names = others.map(({ name }) => name).join(', ');
    tell(`${names}: not a picture, video or sound. Choose another file.`);
  } else if (pictures.length > 0 && !placed.includes(false))
    announce(`${pictures.length === 1 ? 'A step was' : `${pictures.length} steps were`} added.`);
}

/** Whether files are dragged, and not an element of the page. */
export const bringsFiles = (event: DragEvent): boolean =>
  event.dataTransfer?.types.includes('Files') ?? false;
