import { demuxerOf } from '../assets/sniff.ts';
import type { Loudness } from '../media/loudness.ts';
import type { StoredPart } from '../storage/artifactStore.ts';
import type { Render } from './render.ts';
import { makeSoundtrackInThread, type SoundFile } from './soundThread.ts';

/** The soundtrack; undefined where the preview is silent. */
export async function makeSound({ plan, parts, assets, store }: Render): Promise<StoredPart | undefined> {
  const { soundtrack } = plan;
  if (!soundtrack) return undefined;
  const { content } = soundtrack;
  const { stored } = await parts.make(soundtrack, async () => {
    const sounds = new Map<string, SoundFile>();
    for (const { sha256 } of [...content.narration, ...(content.music ? [content.music] : [])]) {
      if (sounds.has(sha256)) continue;
      const asset = assets.find((candidate) => candidate.sha256 === sha256);
      if (!asset) throw new Error('a sound of the plan is not among the assets');
      sounds.set(sha256, { bytes: await store.readObject(sha256), demuxer: demuxerOf(asset.format) });
    }
    const { bytes, loudness } = await makeSoundtrackInThread({ content, sounds });
    return { bytes, meta: { measured: measured(loudness) } };
  });
  return stored;
}

/** What the manifest says of the sound: null for what silence does not have. */
const measured = ({ integratedLufs, truePeakDb }: Loudness) => ({
  integratedLufs: integratedLufs === undefined ? null : rounded(integratedLufs),
  truePeakDb: Number.isFinite(truePeakDb) ? rounded(truePeakDb) : null,
});

const rounded = (value: number): number => Math.round(value * 100) / 100;
