/** A cue of WebVTT; seconds. */
export interface Cue {
  start: number;
  end: number;
  text: string;
}

const TIME = '((?:\\d+:)?\\d\\d:\\d\\d\\.\\d{3})';
const TIMES = new RegExp(`^${TIME} --> ${TIME}`);

/** Reads a WebVTT file of the kind that the service writes: without styles, its words without markup. */
export function readVtt(file: string): Cue[] {
  return file.split(/\n\n+/).flatMap((block) => {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => TIMES.test(line));
    const [, start, end] = TIMES.exec(lines[at] ?? '') ?? [];
    if (start === undefined || end === undefined) return [];
    const text = lines
      .slice(at + 1)
      .join('\n')
      .trim();
    return [{ start: secondsOf(start), end: secondsOf(end), text: plain(text) }];
  });
}

const secondsOf = (time: string): number =>
  time.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0);

const plain = (text: string): string =>
  text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
