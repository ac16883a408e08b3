import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDemuxer, readPackets } from '../../../src/media/ffmpeg.ts';
import { fragment, readFragments } from '../../../src/media/mp4/fragments.ts';
import { moveFragments } from '../../../src/media/mp4/moveFragments.ts';
import { type IndexedSample, movieHead } from '../../../src/media/mp4/movie.ts';
import type { AudioTrack, Sample } from '../../../src/media/mp4/track.ts';

const sample = fc.record({
  data: fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  duration: fc.integer({ min: 1, max: 100_000 }),
  offset: fc.integer({ min: -5_000, max: 100_000 }),
  sync: fc.boolean(),
});

const TRACK: AudioTrack = {
  kind: 'audio',
  codec: 'aac',
  timescale: 48_000,
  channels: 2,
  bitRate: 160_000,
  config: Buffer.from('1190', 'hex'),
  priming: 1024,
};

/** A file with the data of `chunks` behind its head. */
function movie(chunks: readonly (readonly Sample[])[], details = {}): Buffer {
  const index = chunks.map((chunk) =>
    chunk.map(({ data, ...rest }): IndexedSample => ({ ...rest, size: data.length })),
  );
  const head = movieHead([{ track: TRACK, chunks: index }], { chapters: [], ...details });
  return Buffer.concat([head, ...chunks.flat().map(({ data }) => data)]);
}

describe('fragments', () => {
  it('give back the samples that went in', () => {
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
        expect(readFragments(Buffer.concat([fragment(samples), fragment(samples, 99)]))).toEqual([
          ...samples,
          ...samples,
        ]);
      }),
    );
  });

  it('move to another time and keep their distance', () => {
    const one: Sample = { data: Buffer.from('x'), duration: 10, offset: 0, sync: true };
    const two = Buffer.concat([fragment([one], 5), fragment([one], 15)]);
    const moved = moveFragments(two, 2 ** 33);
    expect(Buffer.from(moved)).toEqual(
      Buffer.concat([fragment([one], 2 ** 33), fragment([one], 2 ** 33 + 10)]),
    );
    expect(two).toEqual(Buffer.concat([fragment([one], 5), fragment([one], 15)]));
  });

  it('refuse what something else wrote', () => {
    const foreign = Buffer.from(fragment([{ data: Buffer.from('x'), duration: 1, offset: 0, sync: true }]));
    foreign[foreign.indexOf('trun') + 4] = 0;
    expect(() => readFragments(foreign)).toThrow('not one of ours');
  });
});

describe('the index of a file', () => {
  const samples = Array.from({ length: 100 }, (_, i): Sample => {
    return { data: Buffer.from(`sample ${i}`), duration: 1024, offset: 0, sync: true };
  });

  it.each([[[100]], [[1, 99]], [[30, 30, 30, 10]], [[50, 0, 50]]])(
    'leads FFmpeg to every sample, chunks of %j',
    async (sizes) => {
      const rest = [...samples];
      const chunks = sizes.map((size) => rest.splice(0, size));
      const demuxer = await openDemuxer(movie(chunks), 'mov');
      const stream = demuxer.audio();
      if (!stream) throw new Error('there is no sound');
      const read: string[] = [];
      const times: number[] = [];
      for (const packet of readPackets(demuxer, stream)) {
        read.push(String(packet.data));
        times.push(Number(packet.pts));
      }
      await demuxer.close();
      expect(read).toEqual(samples.map(({ data }) => data.toString()));
      // What the encoder put before the sound lies before time 0.
      expect(times.slice(0, 3)).toEqual([-1024, 0, 1024]);
    },
  );

  it('carries title and chapters, cut to what a byte can count and never inside a character', async () => {
    const title = 'Kaffee & Tee ☕';
    const long = '☕'.repeat(100);
    const chapters = [
      { startSeconds: 0, title: 'One' },
      { startSeconds: 1.5, title: long },
    ];
    const demuxer = await openDemuxer(movie([samples], { title, chapters }), 'mov');
    const context = demuxer.getFormatContext();
    expect(context.metadata?.get('title')).toBe(title);
    await demuxer.close();
    const bytes = movie([samples], { title, chapters });
    const at = bytes.indexOf('chpl') + 8 + 4;
    expect(bytes[at]).toBe(2);
    const secondName = at + 1 + 9 + 3 + 9;
    expect(bytes[secondName - 1]).toBe(255);
    expect(bytes.subarray(secondName, secondName + 255).toString()).toBe('☕'.repeat(85));
  });
});
