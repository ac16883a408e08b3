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

export const part = <Content>(kind: string, content: Content): PlannedPart<Content> => ({
  kind,
  content,
  key: keyOf(kind, content),
});

/**
 * The key of a part, or of a note: the SHA-256 of its kind, the renderer's version and everything that decides it. It is made
 * fastest of contents whose members are in the order of their names, see `canonicalJson`.
 */
export const keyOf = (kind: string, content: unknown): string =>
  sha256Hex(canonicalJson({ content, kind, version: RENDERER_VERSION }));
