import { demuxerOf } from '../../assets/sniff.ts';
import type { Loudness } from '../../media/sound/loudness.ts';
import type { StoredPart } from '../../storage/artifactStore.ts';
import { findParts } from '../parts/findParts.ts';
import type { Plan } from '../plan/plan.ts';
import type { Prepared } from '../plan/prepare.ts';
import type { Workbench } from '../workbench.ts';
import type { ReadSound } from './readSound.ts';
import type { SoundtrackMaker } from './soundtrack.ts';

/** An edit changes the segment of its step and the one before it, which leads to it. */
const FEW_SEGMENTS = 4;

/**
 * Makes the soundtrack; undefined where the preview is silent. No part takes longer, so it is begun at once. After an edit,
 * though, somebody waits for a picture: then the few segments come first and have the cores to themselves.
 * @param pictures settles when the segments are made
 */
export async function makeSound(
  { plan, assets }: Prepared,
  { parts, store, stopwatch, signal }: Pick<Workbench, 'parts' | 'store' | 'stopwatch' | 'signal'>,
  makeSoundtrack: SoundtrackMaker,
  pictures: Promise<unknown> | undefined,
): Promise<StoredPart | undefined> {
  const { soundtrack } = plan;
  if (!soundtrack) return undefined;
  if (await lacksLittle(plan, store)) await pictures;
  const { content } = soundtrack;
  const read: ReadSound = async (sha256) => {
    const asset = assets.find((candidate) => candidate.sha256 === sha256);
    if (!asset) throw new Error('a sound of the plan is not among the assets');
    return { bytes: await store.readObject(sha256), demuxer: demuxerOf(asset.format) };
  };
  const { stored } = await stopwatch.time('soundtrack', () =>
    parts.make(soundtrack, async () => {
      const { bytes, loudness } = await makeSoundtrack(content, read, signal);
      return { bytes, meta: { measured: measured(loudness) } };
    }),
  );
  return stored;
}

async function lacksLittle(plan: Plan, store: Workbench['store']): Promise<boolean> {
  const keys = plan.entries.map(({ segment }) => segment.key);
  const found = await findParts(keys, store.getPart);
  const missing = found.filter((part) => !part).length;
  return missing <= FEW_SEGMENTS && missing < found.length / 2;
}

/** The loudness as the manifest gives it; null for what silence does not have. */
const measured = ({ integratedLufs, truePeakDb }: Loudness) => ({
  integratedLufs: integratedLufs === undefined ? null : rounded(integratedLufs),
  truePeakDb: Number.isFinite(truePeakDb) ? rounded(truePeakDb) : null,
});

const rounded = (value: number): number => Math.round(value * 100) / 100;
