import type { MediaFormat } from '../../assets/sniff.ts';

/** What the plan needs to know of an asset. */
export interface PlanAsset {
  id: string;
  type: 'image' | 'audio' | 'video';
  sha256: string;
  format: MediaFormat;
}

/** By their ids. */
export type Assets = ReadonlyMap<string, PlanAsset>;
