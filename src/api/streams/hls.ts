/** Playlists of HTTP Live Streaming (RFC 8216). Pure: addresses go in, text comes out. */

export interface MediaSegment {
  seconds: number;
  url: string;
  /** Where the segment is only a piece of what the address leads to. */
  range?: { offset: number; length: number };
}

export interface MediaPlaylist {
  /** Header of the fragments; a range where it is a piece of a file. */
  init: Omit<MediaSegment, 'seconds'>;
  segments: readonly MediaSegment[];
  /** The longest segment that there is or will be. */
  longestSeconds: number;
  /** Nothing will be added any more. */
  isComplete: boolean;
}

/** A playlist to which segments are added at the end until it is complete; nothing is ever taken away. */
export function mediaPlaylist({ init, segments, longestSeconds, isComplete }: MediaPlaylist): string {
  const map = `#EXT-X-MAP:URI="${init.url}"${init.range ? `,BYTERANGE="${rangeOf(init.range)}"` : ''}`;
  return lines(
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.round(longestSeconds))}`,
    '#EXT-X-PLAYLIST-TYPE:EVENT',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    // A player may ask for the segment after the last one, and is answered when it is there.
    ...(isComplete ? [] : ['#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES']),
    map,
    ...segments.flatMap(({ seconds, url, range }) => [
      `#EXTINF:${seconds.toFixed(5)},`,
      ...(range ? [`#EXT-X-BYTERANGE:${rangeOf(range)}`] : []),
      url,
    ]),
    ...(isComplete ? ['#EXT-X-ENDLIST'] : []),
  );
}

const rangeOf = ({ offset, length }: { offset: number; length: number }): string => `${length}@${offset}`;

/** The playlist that players open: one video, and its sound as a rendition of its own. */
export function multivariantPlaylist(stream: {
  video: string;
  audio?: string;
  width: number;
  height: number;
  fps: number;
  codecs: readonly string[];
  bitsPerSecond: number;
}): string {
  const { video, audio, width, height, fps, codecs, bitsPerSecond } = stream;
  const attributes = [
    `BANDWIDTH=${Math.round(bitsPerSecond)}`,
    `CODECS="${codecs.join(',')}"`,
    `RESOLUTION=${width}x${height}`,
    `FRAME-RATE=${fps.toFixed(3)}`,
    ...(audio ? ['AUDIO="sound"'] : []),
  ];
  const rendition = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES';
  return lines(
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...(audio ? [`${rendition},URI="${audio}"`] : []),
    `#EXT-X-STREAM-INF:${attributes.join(',')}`,
    video,
  );
}

const lines = (...all: string[]): string => `${all.join('\n')}\n`;
