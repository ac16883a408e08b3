import type { Asset } from '../../../src/job/previewJob.types.ts';
import { type DraftStep, patchAudio, patchOptions, type Storyboard, withoutEmpty } from './storyboard.ts';

/** What stands for a file in an asset's `upload` until the service has it: no digest begins like this. */
const TOKEN = 'file-';

/** @param id must be unique, even across older pages, because a storyboard may contain their tokens */
export const tokenOf = (id: string): string => `${TOKEN}${id}`;

/** Whether it stands for a file that the service does not have, or not yet. */
export const isToken = (upload: unknown): upload is string =>
  typeof upload === 'string' && upload.startsWith(TOKEN);

/** Replaces a file's token by its digest, and sets the kind that the service found. */
export function settleFile(
  board: Storyboard,
  token: string,
  { sha256, type }: { sha256: string; type: Asset['type'] },
): Storyboard {
  if (!board.assets.some(({ upload }) => upload === token)) return board;
  const assets = board.assets.map((asset) =>
    asset.upload === token ? { ...asset, type, upload: sha256 } : asset,
  );
  return { ...board, assets };
}

/** Where a file is used. */
export type Use = 'picture' | 'narration' | 'music' | 'logo';

/** The ids of the assets that steps, sound and brand use, each with its first use. */
export function usesOf({ cards, audio, options }: Storyboard): Map<string, Use> {
  const uses: [string | undefined, Use][] = [
    ...cards.flatMap(({ step }): [string | undefined, Use][] => [
      [step.asset, 'picture'],
      [step.narration, 'narration'],
    ]),
    [audio.music?.asset, 'music'],
    [audio.narration?.asset, 'narration'],
    [options.brand?.logo, 'logo'],
  ];
  const first = new Map<string, Use>();
  for (const [id, use] of uses) if (id !== undefined && !first.has(id)) first.set(id, use);
  return first;
}

/** The assets that the storyboard uses, each with its first use. */
export function usedFiles(board: Storyboard): { asset: Asset; use: Use }[] {
  const uses = usesOf(board);
  return board.assets.flatMap((asset) => {
    const use = uses.get(asset.id);
    return use === undefined ? [] : [{ asset, use }];
  });
}

/** Sets or removes the picture of a step. Settings for a video's sound are removed with the video. */
export const showing = (picture: Asset | undefined): Partial<DraftStep> => ({
  asset: picture?.id,
  ...(picture?.type === 'video' ? {} : { videoSound: undefined, videoGainDb: undefined }),
});

/** The storyboard without the files that cannot be used, so that it can be rendered now. */
export function withoutFiles(board: Storyboard, isMissing: (asset: Asset) => boolean): Storyboard {
  const missing = new Set(board.assets.filter(isMissing).map(({ id }) => id));
  if (missing.size === 0) return board;
  const lacks = (id: string | undefined): boolean => id !== undefined && missing.has(id);
  const cards = board.cards.map(({ key, step }) => ({
    key,
    step: withoutEmpty({
      ...step,
      ...(lacks(step.asset) ? showing(undefined) : {}),
      ...(lacks(step.narration) ? { narration: undefined } : {}),
    }),
  }));
  const { audio, options } = board;
  const { logo, ...brand } = options.brand ?? {};
  const silent = patchAudio(
    { ...board, cards },
    {
      ...(lacks(audio.music?.asset) ? { music: undefined } : {}),
      ...(lacks(audio.narration?.asset) ? { narration: undefined } : {}),
    },
  );
  return lacks(logo) ? patchOptions(silent, { brand }) : silent;
}
