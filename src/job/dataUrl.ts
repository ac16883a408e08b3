/** Larger files are uploaded: base64 in a job costs a third more, and the queue keeps every job in memory. */
export const MAX_DATA_BYTES = 1024 * 1024;

/** A data: URL (RFC 2397) taken apart; `base64` is not decoded, and not yet checked. */
export interface DataUrl {
  /** In lower case, without parameters. */
  mediaType: string;
  base64: string;
}

/** No media type with its parameters is longer; the comma is not searched in a megabyte of something else. */
const MAX_HEAD_LENGTH = 256;

/** Takes a base64 data: URL apart; undefined where the text is none. */
export function parseDataUrl(url: string): DataUrl | undefined {
  const [, mediaType] =
    /^data:([\w.+-]+\/[\w.+-]+)(?:;[^,;]*)*;base64,/i.exec(url.slice(0, MAX_HEAD_LENGTH)) ?? [];
  if (mediaType === undefined) return undefined;
  return { mediaType: mediaType.toLowerCase(), base64: url.slice(url.indexOf(',') + 1) };
}

/** Bytes that a base64 text (RFC 4648, with padding) decodes to, or undefined where it is not base64. */
export function base64Bytes(base64: string): number | undefined {
  const digits = base64.endsWith('==') ? base64.slice(0, -2) : base64.replace(/=$/, '');
  if (base64.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(digits)) return undefined;
  return Math.floor((digits.length * 3) / 4);
}
