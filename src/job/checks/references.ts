import type { InputError } from '../../errors.ts';
import type { Asset, AssetType, PreviewJob } from '../previewJob.types.ts';

/** Asset ids are unique among the assets, step ids among the steps. */
export function checkUniqueIds({ previewRequest: { assets, steps } }: PreviewJob): InputError[] {
  return [...repeatedIds(assets, '/previewRequest/assets'), ...repeatedIds(steps, '/previewRequest/steps')];
}

function repeatedIds(items: readonly { id?: string }[], pointer: string): InputError[] {
  const firstIndex = new Map<string, number>();
  return items.flatMap(({ id }, index) => {
    if (id === undefined) return [];
    const first = firstIndex.get(id);
    if (first === undefined) {
      firstIndex.set(id, index);
      return [];
    }
    return [{ pointer: `${pointer}/${index}/id`, message: `is already the id of ${pointer}/${first}` }];
  });
}

/** Every asset that is named exists and is something that can be shown or heard there. */
export function checkReferences({
  previewRequest: { assets, steps, audio, options },
}: PreviewJob): InputError[] {
  const byId = new Map(assets.map((asset) => [asset.id, asset]));
  const check = (pointer: string, id: string | undefined, wanted: readonly AssetType[]): InputError[] => {
    if (id === undefined) return [];
    const message = complaint(byId.get(id), id, wanted);
    return message === undefined ? [] : [{ pointer, message }];
  };
  return [
    ...steps.flatMap((step, index) => [
      ...check(`/previewRequest/steps/${index}/asset`, step.asset, ['image', 'video']),
      ...check(`/previewRequest/steps/${index}/narration`, step.narration, ['audio']),
    ]),
    ...check('/previewRequest/audio/music/asset', audio.music?.asset, ['audio']),
    ...check('/previewRequest/options/brand/logo', options?.brand?.logo, ['image']),
    ...check('/previewRequest/audio/narration/asset', audio.narration?.asset, ['audio']),
  ];
}

function complaint(asset: Asset | undefined, id: string, wanted: readonly AssetType[]): string | undefined {
  if (!asset) return `no asset has the id "${id}"; add it to previewRequest.assets`;
  if (wanted.includes(asset.type)) return undefined;
  return `asset "${id}" has the type ${asset.type}; here it must be ${wanted.join(' or ')}`;
}

/** A step whose video shall be heard shows a video, and a gain has something to act upon. */
export function checkVideoSound({ previewRequest: { assets, steps } }: PreviewJob): InputError[] {
  const videos = new Set(assets.filter(({ type }) => type === 'video').map(({ id }) => id));
  return steps.flatMap(({ asset, videoSound, videoGainDb }, index) => {
    const pointer = `/previewRequest/steps/${index}`;
    if (videoSound && !videos.has(asset ?? '')) {
      return [{ pointer: `${pointer}/videoSound`, message: 'needs a step whose asset is a video' }];
    }
    if (videoGainDb !== undefined && !videoSound) {
      return [{ pointer: `${pointer}/videoGainDb`, message: 'needs "videoSound": true in the same step' }];
    }
    return [];
  });
}
