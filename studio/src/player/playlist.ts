/** Reads the addresses and lengths of the segments from an HLS media playlist. Pure. */
export interface Playlist {
  /** Seconds of each segment. */
  seconds: readonly number[];
  isComplete: boolean;
}

export function readPlaylist(text: string): Playlist {
  return {
    seconds: [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map(([, seconds]) => Number(seconds)),
    isComplete: text.includes('#EXT-X-ENDLIST'),
  };
}

/** The playlist as if the preview ended behind its first `count` segments. */
export function endAfter(text: string, count: number): string {
  const lines: string[] = [];
  let segments = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('#EXTINF') && ++segments > count) break;
    if (!line.startsWith('#EXT-X-ENDLIST') && !line.startsWith('#EXT-X-SERVER-CONTROL')) lines.push(line);
  }
  return [...lines, '#EXT-X-ENDLIST', ''].join('\n');
}

/** The address of the video playlist, from that of the whole stream. */
export const pictureUrl = (stream: string): string => stream.replace('/stream.m3u8', '/stream/video.m3u8');

/** With Blocking Playlist Reload: answered when the segment `index` is there. */
export const waitingFor = (url: string, index: number): string =>
  `${url}${url.includes('?') ? '&' : '?'}_HLS_msn=${index}`;
