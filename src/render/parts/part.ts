import { canonicalJson } from '../../job/canonicalJson.ts';
import { sha256Hex } from '../../job/sha256.ts';

/** Raise it with every change that makes other bytes from the same job; all parts are then made anew. */
export const RENDERER_VERSION = '14';

/** A part that can be made, stored and found again by its key. */
export interface PlannedPart<Content> {
  kind: string;
  key: string;
  content: Content;
}

/**
 * A part by its key: the SHA-256 of its kind, the renderer's version and everything that decides its bytes. Contents are
 * written with their members in the order of their names, of which the key is made soonest: see `canonicalJson`.
 */
export function part<Content>(kind: string, content: Content): PlannedPart<Content> {
  return { kind, content, key: sha256Hex(canonicalJson({ content, kind, version: RENDERER_VERSION })) };
}
