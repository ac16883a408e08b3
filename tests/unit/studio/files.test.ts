import { describe, expect, it, vi } from 'vitest';
import { createSemaphore } from '../../../src/concurrency/semaphore.ts';
import { validatePreviewPayload } from '../../../src/job/validatePreviewPayload.ts';
import { withPatience } from '../../../studio/src/api/patience.ts';
import { Problem } from '../../../studio/src/api/problem.ts';
import { mayPassLater, reasonOf, refusalOf } from '../../../studio/src/editor/fileReasons.ts';
import { isToken, settleFile, showing, tokenOf, withoutFiles } from '../../../studio/src/storyboard/files.ts';
import { fromJob, toJob } from '../../../studio/src/storyboard/job.ts';
import { patchCard } from '../../../studio/src/storyboard/storyboard.ts';

const DIGEST = 'ab'.repeat(32);
const HEAD = { jobId: 'j', projectId: 'p', requestId: 'r' };

/** A storyboard with a file for everything that can be one. */
const board = fromJob({
  previewRequest: {
    title: 'T',
    steps: [
      { title: 'a', asset: 'photo', narration: 'voice' },
      { title: 'b', asset: 'clip', videoSound: true, videoGainDb: -3 },
    ],
    assets: [
      { id: 'photo', type: 'image', upload: 'file-1' },
      { id: 'clip', type: 'video', upload: 'file-2' },
      { id: 'voice', type: 'audio', upload: 'file-3' },
      { id: 'song', type: 'audio', upload: 'file-4' },
      { id: 'logo', type: 'image', upload: 'file-5' },
    ],
    audio: { music: { asset: 'song', gainDb: -12 }, narration: { asset: 'voice' } },
    options: { brand: { logo: 'logo' }, theme: 'paper' },
  },
});

describe('a storyboard without its files', () => {
  it('is a valid job with all of its words', () => {
    const job = toJob(
      withoutFiles(board, ({ upload }) => isToken(upload)),
      HEAD,
    );
    expect(validatePreviewPayload(job)).toMatchObject({ ok: true });
    expect(job.previewRequest).toEqual({
      title: 'T',
      steps: [{ title: 'a' }, { title: 'b' }],
      assets: [],
      audio: {},
      options: { theme: 'paper' },
    });
  });

  it('lacks only those that are missing', () => {
    const without = withoutFiles(board, ({ id }) => id === 'voice' || id === 'logo');
    expect(without.cards.map(({ key }) => key)).toEqual(board.cards.map(({ key }) => key));
    expect(without.cards.map(({ step }) => step)).toEqual([
      { title: 'a', asset: 'photo' },
      board.cards[1]?.step,
    ]);
    expect(without.audio).toEqual({ music: { asset: 'song', gainDb: -12 } });
  });

  it('is itself where none is missing', () => {
    expect(withoutFiles(board, () => false)).toBe(board);
  });
});

describe('a file of a storyboard', () => {
  it('gets its digest in the place of its token, and the type that it has', () => {
    const settled = settleFile(board, 'file-2', { sha256: DIGEST, type: 'image' });
    expect(settled.assets[1]).toEqual({ id: 'clip', type: 'image', upload: DIGEST });
    expect(settled.assets[0]).toBe(board.assets[0]);
    expect(settleFile(board, 'file-9', { sha256: DIGEST, type: 'image' })).toBe(board);
  });

  it('has a token that no digest is like', () => {
    expect([tokenOf('x'), 'file-1', DIGEST, undefined, 7].map(isToken)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('takes the sound of a video along when something else is shown', () => {
    const key = board.cards[1]?.key ?? '';
    const [photo, clip] = board.assets;
    expect(patchCard(board, key, showing(photo)).cards[1]?.step).toEqual({ title: 'b', asset: 'photo' });
    expect(patchCard(board, key, showing(clip)).cards[1]?.step).toEqual(board.cards[1]?.step);
    expect(patchCard(board, key, showing(undefined)).cards[1]?.step).toEqual({ title: 'b' });
  });
});

describe('why a file cannot be used', () => {
  const problem = (status: number, code?: string, detail = 'In the words of the service; for developers.') =>
    new Problem(status, code === undefined ? {} : { code, detail });

  it('is said before it is sent, where the page can see it', () => {
    const refusal = (type: string, use: 'picture' | 'music', size = 10) =>
      refusalOf({ type, size }, use, 2_500_000);
    expect(refusal('image/jpeg', 'picture')).toBeUndefined();
    // A browser does not know every type: the service looks into the file.
    expect(refusal('', 'music')).toBeUndefined();
    expect(refusal('video/mp4', 'music')).toBeUndefined();
    expect(refusal('audio/mpeg', 'picture')).toMatch(
      /^It is a sound, not a picture or video\. Choose a JPEG/,
    );
    expect(refusal('text/plain', 'music')).toMatch(/^It is not a sound\. Choose a WAV/);
    expect(refusal('image/jpeg', 'picture', 0)).toBe('The file is empty.');
    expect(refusal('image/jpeg', 'picture', 2_600_000)).toMatch(
      /^It has 2\.6 MB; at most 2\.5 MB are allowed/,
    );
  });

  it('is in words for authors', () => {
    expect(reasonOf(problem(415, 'unsupported_media_type', 'The file is a GIF; send jpeg.'), 'logo')).toBe(
      'The file is a GIF. Choose a PNG, WebP, JPEG or AVIF picture.',
    );
    expect(reasonOf(problem(413), 'picture')).toMatch(/larger than the service accepts/);
    for (const code of ['asset_missing', 'asset_corrupt', 'asset_too_many_pixels', 'upload_quota_exceeded'])
      expect(reasonOf(problem(422, code), 'picture')).not.toMatch(/for developers/);
    expect(reasonOf(problem(500, 'internal', 'Something went wrong on our side.'), 'picture')).toBe(
      'Something went wrong on our side.',
    );
  });

  it('may pass where it is not about the file', () => {
    expect([problem(0, 'unreachable'), problem(413, 'upload_quota_exceeded')].map(mayPassLater)).toEqual([
      true,
      true,
    ]);
    expect([problem(413), problem(415, 'unsupported_media_type')].map(mayPassLater)).toEqual([false, false]);
  });

  it('is not asked again and again where it does not pass by itself', async () => {
    const attempts = async (status: number): Promise<number> => {
      let count = 0;
      const work = async (): Promise<void> => {
        count++;
        throw problem(status);
      };
      await expect(withPatience(work, [1, 1, 1])).rejects.toThrow();
      return count;
    };
    expect(await attempts(503)).toBe(4);
    expect(await attempts(0)).toBe(4);
    expect(await attempts(413)).toBe(1);
  });
});

it('so many things at once, and the others in their turn', async () => {
  const inTurn = createSemaphore(2);
  const done: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const all = [1, 2, 3, 4, 5].map((number) =>
    inTurn(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => done.push(resolve));
      running--;
      if (number === 2) throw new Error('two');
      return number;
    }).catch(() => 0),
  );
  for (let i = 0; i < 5; i++) {
    await vi.waitFor(() => expect(done.length).toBeGreaterThan(0));
    done.shift()?.();
  }
  expect(await Promise.all(all)).toEqual([1, 0, 3, 4, 5]);
  expect(most).toBe(2);
});
