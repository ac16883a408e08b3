import { hostname } from 'node:os';
import type { StageTimings } from '../../job/jobRecord.ts';
import { sha256Hex } from '../../job/sha256.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';
import { getNote, putNote } from '../../storage/notes.ts';

/** How long recent renders took on this machine. Estimates are based on it. */
export interface Rates {
  /** For each picture that was encoded, and for each second of the soundtrack. */
  secondsPerPicture: number;
  secondsPerSoundSecond: number;
  /** Bytes of the finished video, without its sound, for each picture that was encoded. */
  bytesPerPicture: number;
}

/** The weight of the last render against all before it. */
const WEIGHT = 0.3;

export async function readRates(store: ArtifactStore): Promise<Rates | undefined> {
  const note = await getNote(store, RATES_KEY);
  return note?.rates as Rates | undefined;
}

/** What a render took that found none of its segments in the store. */
export interface Taken {
  /** Pictures that were encoded. */
  pictures: number;
  /** Length of the preview. */
  seconds: number;
  timings: StageTimings;
  videoBytes: number;
  /** Undefined where the preview is silent. */
  soundBytes: number | undefined;
}

/** Adjusts the rates to a render. A rate of something that it did not do stays as it is. */
export async function learnRates(store: ArtifactStore, taken: Taken): Promise<void> {
  const known = await readRates(store);
  const latest = ratesOf(taken);
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
  await putNote(store, RATES_KEY, await store.putObject(Buffer.from('rates')), { rates });
}

function ratesOf({ pictures, seconds, timings, videoBytes, soundBytes }: Taken): Partial<Rates> {
  return {
    ...(pictures > 0 ? { secondsPerPicture: (timings.segments ?? 0) / 1000 / pictures } : {}),
    ...(pictures > 0 ? { bytesPerPicture: (videoBytes - (soundBytes ?? 0)) / pictures } : {}),
    ...(soundBytes === undefined
      ? {}
      : { secondsPerSoundSecond: (timings.soundtrack ?? 0) / 1000 / seconds }),
  };
}

/** One for each machine: workers that share a store need not be alike. */
const RATES_KEY = sha256Hex(`rates of ${hostname()}`);
