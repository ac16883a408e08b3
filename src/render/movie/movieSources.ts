import type { StoredPart } from '../../storage/artifactStore.ts';

/** What a finished file is joined from. */
export interface MovieSources {
  segments: readonly { stored: StoredPart; frames: number }[];
  soundtrack?: StoredPart | undefined;
}
