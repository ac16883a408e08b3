import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { validatePreviewPayload } from '../../../src/job/validatePreviewPayload.ts';
import { fromJob, NotAJob, toJob } from '../../../studio/src/storyboard/job.ts';
import {
  addAsset,
  addCard,
  duplicateCard,
  EMPTY,
  freeId,
  moveCard,
  patchCard,
  patchOptions,
  removeCard,
  type Storyboard,
} from '../../../studio/src/storyboard/storyboard.ts';

const DIGEST = 'ab'.repeat(32);
const HEAD = { jobId: 'j', projectId: 'p', requestId: 'r' };

const board = (...titles: string[]): Storyboard =>
  fromJob({
    previewRequest: { title: 'T', steps: titles.map((title) => ({ title })), assets: [], audio: {} },
  });
const titles = ({ cards }: Storyboard): (string | undefined)[] => cards.map(({ step }) => step.title);
const keyOf = ({ cards }: Storyboard, at: number): string => cards[at]?.key ?? '';

describe('a storyboard', () => {
  it('moves a step to a place, and no further than the ends', () => {
    const three = board('a', 'b', 'c');
    expect(titles(moveCard(three, keyOf(three, 0), 2))).toEqual(['b', 'c', 'a']);
    expect(titles(moveCard(three, keyOf(three, 2), 0))).toEqual(['c', 'a', 'b']);
    expect(titles(moveCard(three, keyOf(three, 1), 9))).toEqual(['a', 'c', 'b']);
    expect(titles(three)).toEqual(['a', 'b', 'c']);
  });

  it('puts a copy behind its original, without the id that must be unique', () => {
    const one = patchCard(board('a', 'b'), 'none', {});
    const withId = patchCard(one, keyOf(one, 0), { id: 'first' });
    const [copied, key] = duplicateCard(withId, keyOf(withId, 0));
    expect(titles(copied)).toEqual(['a', 'a', 'b']);
    expect(copied.cards[1]).toEqual({ key, step: { title: 'a' } });
  });

  it('adds and removes steps', () => {
    const two = board('a', 'b');
    expect(titles(addCard(two, { title: 'x' }, 1)[0])).toEqual(['a', 'x', 'b']);
    expect(titles(removeCard(two, keyOf(two, 0)))).toEqual(['b']);
  });

  it('leaves out what is emptied', () => {
    const one = board('a');
    expect(patchCard(one, keyOf(one, 0), { title: '' }).cards[0]?.step).toEqual({});
    expect(patchOptions(one, { theme: 'paper', brand: {} }).options).toEqual({ theme: 'paper' });
  });

  it('names an asset after its file, and never twice', () => {
    expect(freeId('Grüße aus Köln.jpg', [])).toBe('Gru-e-aus-Koln');
    expect(freeId('a.jpg', ['a', 'a-2'])).toBe('a-3');
    expect(freeId('照片.png', [])).toBe('file');
    expect(addAsset(EMPTY, 'a.jpg', { type: 'image', upload: 'x' })[1]).toBe('a');
  });
});

describe('the job of a storyboard', () => {
  it('is valid, and says what the imported job said', () => {
    const file = JSON.parse(readFileSync('tests/payloads/valid/everything-at-once.json', 'utf8')) as {
      payload?: unknown;
    };
    const payload = (file.payload ?? file) as Record<string, unknown>;
    const { jobId, projectId, requestId, previewRequest, webhook, priority } = payload;
    const job = toJob(fromJob(payload), { jobId, projectId, requestId } as typeof HEAD);
    expect(validatePreviewPayload(job)).toMatchObject({ ok: true });
    expect(job.webhook).toEqual(webhook);
    expect(job.priority).toEqual(priority);
    const { assets, ...sent } = job.previewRequest;
    const { assets: all, ...said } = previewRequest as typeof job.previewRequest;
    expect(sent).toEqual(said);
    for (const asset of assets) expect(all).toContainEqual(asset);
  });

  it('brings along only the assets that are used', () => {
    const [withPhoto, id] = addAsset(board('a'), 'photo.jpg', { type: 'image', upload: DIGEST });
    const [withBoth] = addAsset(withPhoto, 'other.jpg', { type: 'image', upload: 'cd'.repeat(32) });
    const used = patchCard(withBoth, keyOf(withBoth, 0), { asset: id });
    expect(toJob(used, HEAD).previewRequest.assets).toEqual([{ id: 'photo', type: 'image', upload: DIGEST }]);
  });

  it('sends what was typed, also where it is wrong', () => {
    const one = board('a');
    const wrong = patchCard(one, keyOf(one, 0), { durationSeconds: 'long' });
    expect(toJob(wrong, HEAD).previewRequest.steps).toEqual([{ title: 'a', durationSeconds: 'long' }]);
  });

  it.each([
    [null],
    [[]],
    ['x'],
    [{}],
    [{ previewRequest: { steps: 1 } }],
    [{ previewRequest: { steps: [1] } }],
  ])('cannot be read from %j, and it is said why', (json) => {
    expect(() => fromJob(json)).toThrow(NotAJob);
  });
});
