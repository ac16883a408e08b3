import { demuxerOf } from '../assets/sniff.ts';
import type { Loudness } from '../media/loudness.ts';
import type { StoredPart } from '../storage/artifactStore.ts';
import type { Render } from './render.ts';
import { makeSoundtrackInThread } from './soundThread.ts';

/** The soundtrack; undefined where the preview is silent. */
export async function makeSound({
  plan,
  parts,
  assets,
  store,
  signal,
}: Render): Promise<StoredPart | undefined> {
  const { soundtrack } = plan;
  if (!soundtrack) return undefined;
  const { content } = soundtrack;
  const read = async (sha256: string) => {
    const asset = assets.find((candidate) => candidate.sha256 === sha256);
    if (!asset) throw new Error('a sound of the plan is not among the assets');
    return { bytes: await store.readObject(sha256), demuxer: demuxerOf(asset.format) };
  };
  const { stored } = await parts.make(soundtrack, async () => {
    const { bytes, loudness } = await makeSoundtrackInThread(content, read, signal);
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
