import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { ArtifactStore } from '../../storage/artifactStore.ts';

/** What rendering took on this machine of late; estimates are made of it. */
export interface Rates {
  /** Seconds for a picture that had to be encoded, and for a second of the soundtrack. */
  secondsPerPicture: number;
  secondsPerSoundSecond: number;
  /** Of the finished video, for each of its pictures and each second of sound. */
  bytesPerPicture: number;
}

/** How much the last render counts against all before it. */
const WEIGHT = 0.3;

export async function readRates(store: ArtifactStore): Promise<Rates | undefined> {
  const part = await store.getPart(RATES_KEY);
  return part?.meta?.rates as Rates | undefined;
}

/** Takes a render into account. What it did not do, because it was there, leaves its rate as it is. */
export async function learnRates(store: ArtifactStore, latest: Partial<Rates>): Promise<void> {
  const known = await readRates(store);
  const mixed = (name: keyof Rates, fallback: number): number => {
    const [before, now] = [known?.[name], latest[name]];
    if (now === undefined || !Number.isFinite(now)) return before ?? fallback;
    return before === undefined ? now : before + (now - before) * WEIGHT;
  };
  const rates: Rates = {
    secondsPerPicture: mixed('secondsPerPicture', 0.05),
    secondsPerSoundSecond: mixed('secondsPerSoundSecond', 0.02),
    bytesPerPicture: mixed('bytesPerPicture', 100_000),
  };
  const object = await store.putObject(Buffer.from('rates'));
  await store.putPart(RATES_KEY, { ...object, meta: { rates } });
}

/** One for each machine: workers that share a store need not be alike. */
const RATES_KEY = createHash('sha256').update(`rates of ${hostname()}`).digest('hex');
