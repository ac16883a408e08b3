import { call, send } from '../api/call.ts';
import type { Manifest, SignedArtifact } from '../api/types.ts';
import { type Cue, readVtt } from './vtt.ts';

/** A picture of the storyboard's sheet; pixels. */
export interface Thumb {
  start: number;
  end: number;
  url: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** What a finished preview brings along. */
export interface Extras {
  artifacts: readonly SignedArtifact[];
  manifest?: Manifest;
  captions: readonly Cue[];
  chapters: readonly Cue[];
  thumbs: readonly Thumb[];
}

export const NO_EXTRAS: Extras = { artifacts: [], captions: [], chapters: [], thumbs: [] };

/** @throws Problem */
export async function loadExtras(link: string): Promise<Extras> {
  const { artifacts } = await call<{ artifacts: SignedArtifact[] }>(link);
  const urlOf = (name: string): string | undefined => artifacts.find((one) => one.name === name)?.url;
  const text = async (name: string): Promise<string> => {
    const url = urlOf(name);
    return url === undefined ? '' : (await send(url)).text();
  };
  const [manifest, captions, chapters, thumbs] = await Promise.all(
    ['manifest.json', 'captions.vtt', 'chapters.vtt', 'storyboard.vtt'].map(text),
  );
  const sheet = urlOf('storyboard.jpg');
  return {
    artifacts,
    ...(manifest ? { manifest: JSON.parse(manifest) as Manifest } : {}),
    captions: readVtt(captions ?? ''),
    chapters: readVtt(chapters ?? ''),
    thumbs: sheet === undefined ? [] : readVtt(thumbs ?? '').flatMap((cue) => thumbOf(cue, sheet)),
  };
}

function thumbOf({ start, end, text }: Cue, url: string): Thumb[] {
  const [, x, y, width, height] = /#xywh=(\d+),(\d+),(\d+),(\d+)/.exec(text)?.map(Number) ?? [];
  if (x === undefined || y === undefined || width === undefined || height === undefined) return [];
  return [{ start, end, url, x, y, width, height }];
}
