import { demuxerOf } from '../assets/sniff.ts';
import type { StoredPart } from '../storage/artifactStore.ts';
import { part } from './plan.ts';
import type { Render } from './render.ts';
import { makeSoundtrackInThread, measureSoundtrackInThread, type SoundFile } from './soundThread.ts';

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
    return { bytes: await makeSoundtrackInThread(content, sounds) };
  });
  return stored;
}

/** What the manifest says of the sound: null for what silence does not have. */
export interface MeasuredSound {
  integratedLufs: number | null;
  truePeakDb: number | null;
}

/** Measures the finished soundtrack; apart from making it, because only the manifest waits for it. */
export async function measureSound(
  { plan, parts, store }: Render,
  { sha256 }: StoredPart,
): Promise<MeasuredSound> {
  const { stored } = await parts.make(part('loudness', { soundtrack: plan.soundtrack?.key }), async () => {
    const { integratedLufs, truePeakDb } = await measureSoundtrackInThread(await store.readObject(sha256));
    const measured: MeasuredSound = {
      integratedLufs: integratedLufs === undefined ? null : rounded(integratedLufs),
      truePeakDb: Number.isFinite(truePeakDb) ? rounded(truePeakDb) : null,
    };
    return { bytes: Buffer.from(JSON.stringify(measured)), meta: { measured } };
  });
  return stored.meta?.measured as MeasuredSound;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
