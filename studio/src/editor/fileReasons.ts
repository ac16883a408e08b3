import type { Asset } from '../../../src/job/previewJob.types.ts';
import type { Problem } from '../api/problem.ts';
import type { Use } from '../storyboard/files.ts';

/* Why a file cannot be used, in words for the author who chose it. */

type Kind = Asset['type'];

const PICTURE = {
  kinds: ['image', 'video'],
  not: 'not a picture or video',
  choose: 'Choose a JPEG, PNG, WebP or AVIF picture, or an MP4 or WebM video.',
} as const;
const LOGO = {
  kinds: ['image'],
  not: 'not a picture',
  choose: 'Choose a PNG, WebP, JPEG or AVIF picture.',
} as const;
const SOUND = {
  kinds: ['audio'],
  not: 'not a sound',
  choose: 'Choose a WAV, MP3, M4A, Ogg or FLAC sound.',
} as const;

const USES = { picture: PICTURE, logo: LOGO, narration: SOUND, music: SOUND } as const satisfies Record<
  Use,
  { kinds: readonly Kind[]; not: string; choose: string }
>;

const A_KIND: Record<Kind, string> = { image: 'a picture', video: 'a video', audio: 'a sound' };

/** What a file is by its media type; undefined for everything that no preview uses. */
export function kindOf(mediaType: string): Kind | undefined {
  const [kind] = mediaType.split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : undefined;
}

/** The kind as which a file can be used there; undefined if it cannot. An MP4 may contain only sound. */
export function kindFor(use: Use, mediaType: string): Kind | undefined {
  const kinds: readonly Kind[] = USES[use].kinds;
  const kind = kindOf(mediaType);
  if (kind && kinds.includes(kind)) return kind;
  return mediaType === 'video/mp4' && kinds.includes('audio') ? 'audio' : undefined;
}

/** The kind to assume until the service has looked into the file. A browser does not know the type of every file. */
export const firstKindFor = (use: Use, mediaType: string): Kind =>
  kindFor(use, mediaType) ?? USES[use].kinds[0];

/** Why the page does not even send a file. */
export function refusalOf(
  { type, size }: { type: string; size: number },
  use: Use,
  mostBytes: number,
): string | undefined {
  if (type !== '' && kindFor(use, type) === undefined) return wrongKind(type, use);
  if (size === 0) return 'The file is empty.';
  return size > mostBytes ? tooLarge(size, mostBytes) : undefined;
}

export function wrongKind(mediaType: string, use: Use): string {
  const kind = kindOf(mediaType);
  const { not, choose } = USES[use];
  return `It is ${kind ? `${A_KIND[kind]}, ${not}` : not}. ${choose}`;
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

const tooLarge = (size: number, most: number): string =>
  `It has ${megabytes(size)}; at most ${megabytes(most)} are allowed. Choose a smaller file.`;

/** The reason if the page or the browser was closed too early. */
export const LOST = 'The page was closed before the file was sent. Choose it again.';

/** Whether an error with this code may be about a file of the job. */
export const isAboutFile = (code: string): boolean =>
  code.startsWith('asset_') || code === 'render_memory_exceeded' || code === 'render_crashed';

/** Errors that the same file would cause again. */
const FINAL = ['payload_too_large', 'unsupported_media_type', 'asset_empty', 'invalid_request'];

/** A proxy in front of the service may have a limit of its own, without a code. */
const codeOf = ({ code, status }: Problem): string =>
  code === 'unknown' && status === 413 ? 'payload_too_large' : code;

/** Whether the service may accept the same file later. */
export const mayPassLater = (problem: Problem): boolean => !FINAL.includes(codeOf(problem));

/** Why the service did not take a file, or cannot use it. */
export function reasonOf(problem: Problem, use: Use): string {
  const { message } = problem;
  switch (codeOf(problem)) {
    case 'payload_too_large':
      return 'It is larger than the service accepts. Choose a smaller file.';
    case 'unsupported_media_type':
      // The message says what the file is, and after the semicolon lists every supported type.
      return `${message.split(';')[0]}. ${USES[use].choose}`;
    case 'upload_quota_exceeded':
      return 'The project has no room left for files. Ask whoever runs the service for more.';
    case 'asset_missing':
      return 'The service no longer has this file. Choose it again.';
    case 'asset_corrupt':
      return 'It is damaged or incomplete. Save or export it again.';
    case 'asset_empty':
      return 'The file is empty.';
    case 'asset_too_many_pixels':
      return 'It has too many pixels. Choose a smaller picture.';
    case 'asset_limit_exceeded':
      return 'It is too long or too complex. Export a shorter or simpler file.';
    case 'render_memory_exceeded':
    case 'render_crashed':
      return 'It needs too much memory. Export a smaller or simpler file.';
    case 'asset_type_unsupported':
      return `Its type or its content is not supported. ${USES[use].choose}`;
    default:
      return message;
  }
}
