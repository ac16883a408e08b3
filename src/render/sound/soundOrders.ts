import type { ErrorCode } from '../../errors.ts';
import type { SoundtrackContent } from '../plan/soundtrackContent.ts';
import type { Soundtrack } from './soundtrack.ts';

/* What the sound thread and the thread that renders tell each other; `id` names the soundtrack. */

/** A sound's file, and the demuxer that opens it. */
export interface SoundFile {
  bytes: Uint8Array;
  demuxer: string;
}

/** To the sound thread: a task, or the file that it asked for. */
export type Order =
  | { type: 'make'; id: number; content: SoundtrackContent; stop: SharedArrayBuffer }
  | { type: 'file'; id: number; sha256: string; file: SoundFile }
  | { type: 'no file'; id: number; sha256: string; error: unknown };

/** From the sound thread. */
export type Answer =
  | { type: 'read'; id: number; sha256: string }
  | { type: 'made'; id: number; made: Soundtrack }
  | { type: 'failed'; id: number; error: unknown; code?: ErrorCode };
