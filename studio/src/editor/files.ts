import type { Asset } from '../../../src/job/previewJob.types.ts';
import { addAsset, addCard, patchAudio, patchCard, type Storyboard } from '../storyboard/storyboard.ts';
import { announce, tell } from '../ui/announce.tsx';
import { change } from './session.ts';
import { addFile, kindOf } from './uploads.ts';

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

export const PICTURES = 'image/jpeg,image/png,image/webp,video/mp4,video/webm';
export const SOUNDS = 'audio/*';

/** Adds the file's asset to the storyboard; undefined, and said so, where it is no file that a preview can use. */
function takeIn(
  file: File,
  wanted: readonly Asset['type'][],
): ((board: Storyboard) => [Storyboard, string]) | undefined {
  const type = kindOf(file);
  if (!type || !wanted.includes(type)) {
    const what = wanted.includes('audio') ? 'a sound' : 'a picture or a video';
    tell(`${file.name} is not ${what}. Choose another file.`);
    return undefined;
  }
  const upload = addFile(file);
  return (board) => addAsset(board, file.name, { type, upload } as Omit<Asset, 'id'>);
}

/** Puts a picture or a video into a step. */
export function setPicture(key: string, file: File): void {
  const add = takeIn(file, ['image', 'video']);
  if (!add) return;
  change((before) => {
    const [board, asset] = add(before);
    return patchCard(board, key, { asset });
  });
  announce(`${file.name} is the picture of the step.`);
}

export function setNarration(key: string, file: File): void {
  const add = takeIn(file, ['audio']);
  if (!add) return;
  change((before) => {
    const [board, asset] = add(before);
    return patchCard(board, key, { narration: asset });
  });
  announce(`${file.name} is the narration of the step.`);
}

export function setMusic(file: File): void {
  const add = takeIn(file, ['audio']);
  if (!add) return;
  change((before) => {
    const [board, asset] = add(before);
    return patchAudio(board, { music: { gainDb: -12, ...board.audio.music, asset } });
  });
  announce(`${file.name} is the music.`);
}

export function setLogo(file: File): void {
  const add = takeIn(file, ['image']);
  if (!add) return;
  change((before) => {
    const [board, logo] = add(before);
    return { ...board, options: { ...board.options, brand: { ...board.options.brand, logo } } };
  });
}

/** Files that were dropped on a step: a picture is shown, a sound is its narration. */
export function dropOnCard(key: string, files: readonly File[]): void {
  for (const file of files) {
    if (kindOf(file) === 'audio') setNarration(key, file);
    else setPicture(key, file);
  }
}

/** Files that were dropped beside the steps: each picture becomes a step, a sound the music. */
export function dropOnBoard(files: readonly File[], at?: number): void {
  const pictures = files.filter((file) => kindOf(file) !== 'audio');
  for (const file of files) if (kindOf(file) === 'audio') setMusic(file);
  pictures.forEach((file, i) => {
    const add = takeIn(file, ['image', 'video']);
    if (!add) return;
    change((before) => {
      const [board, asset] = add(before);
      return addCard(board, { asset }, at === undefined ? undefined : at + i)[0];
    });
  });
  if (pictures.length > 0)
    announce(`${pictures.length === 1 ? 'A step was' : `${pictures.length} steps were`} added.`);
}

/** Whether files, and not something of the page, are dragged. */
export const bringsFiles = (event: DragEvent): boolean =>
  event.dataTransfer?.types.includes('Files') ?? false;
