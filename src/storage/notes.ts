import type { ArtifactStore, StoredObject } from './artifactStore.ts';

/*
 * What is known of an object, so that nobody has to look at it again. A note lies under its key among the parts, and is
 * there for as long as the object that it is about.
 */

export type Note = Record<string, unknown>;

/** Undefined where nothing was noted. */
export async function getNote(store: Pick<ArtifactStore, 'getPart'>, key: string): Promise<Note | undefined> {
  const part = await store.getPart(key);
  return part && (part.meta ?? {});
}

export const putNote = (
  store: Pick<ArtifactStore, 'putPart'>,
  key: string,
  { sha256, bytes }: StoredObject,
  note: Note,
): Promise<void> =>
  store.putPart(key, { sha256, bytes, ...(Object.keys(note).length > 0 ? { meta: note } : {}) });
