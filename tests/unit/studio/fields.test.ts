import { describe, expect, it } from 'vitest';
import { fieldOf, placeErrors } from '../../../studio/src/storyboard/fields.ts';
import { fromJob, toJob } from '../../../studio/src/storyboard/job.ts';

const board = fromJob({
  previewRequest: {
    title: 'T',
    steps: [{ asset: 'photo' }, { narration: 'voice', asset: 'photo' }],
    assets: [
      { id: 'photo', type: 'image', upload: 'x' },
      { id: 'voice', type: 'audio', upload: 'y' },
      { id: 'song', type: 'audio', upload: 'z' },
      { id: 'logo', type: 'image', upload: 'l' },
    ],
    audio: { music: { asset: 'song' } },
    options: { brand: { logo: 'logo' } },
  },
});
const job = toJob(board, { jobId: 'j', projectId: 'p', requestId: 'r' });
const [first, second] = board.cards.map(({ key }) => key);

describe('the field of a pointer', () => {
  it.each([
    ['/previewRequest/title', 'title'],
    ['/previewRequest/description', 'description'],
    ['/previewRequest/steps/0/title', `step.${first}.title`],
    ['/previewRequest/steps/1/durationSeconds', `step.${second}.durationSeconds`],
    ['/previewRequest/steps/1/transition/type', `step.${second}.transition`],
    ['/previewRequest/steps/1/transition/durationSeconds', `step.${second}.transitionSeconds`],
    ['/previewRequest/steps/1/focus/width', `step.${second}.focus`],
    ['/previewRequest/steps/1', `step.${second}.title`],
    ['/previewRequest/assets/0/upload', `step.${first}.asset`],
    ['/previewRequest/assets/1', `step.${second}.narration`],
    ['/previewRequest/assets/2/url', 'audio.music'],
    ['/previewRequest/assets/3', 'options.logo'],
    ['/previewRequest/options/resolution', 'options.resolution'],
    ['/previewRequest/options/brand/color', 'options.color'],
    ['/previewRequest/audio/music/gainDb', 'audio.musicGain'],
    ['/previewRequest/audio/loudnessLufs', 'audio.loudnessLufs'],
  ])('%s is %s', (pointer, field) => {
    expect(fieldOf(pointer, board, job)).toBe(field);
  });

  it.each([
    '',
    '/jobId',
    '/previewRequest',
    '/previewRequest/steps',
    '/previewRequest/steps/7/title',
    '/webhook/url',
  ])('%j is none', (pointer) => {
    expect(fieldOf(pointer, board, job)).toBeUndefined();
  });

  it('has the first complaint about it; the others are kept', () => {
    const placed = placeErrors(
      [
        { pointer: '/previewRequest/title', message: 'too long' },
        { pointer: '/previewRequest/title', message: 'also this' },
        { pointer: '/jobId', message: 'wrong' },
      ],
      board,
      job,
    );
    expect([...placed.fields]).toEqual([['title', 'too long']]);
    expect(placed.others).toEqual([{ pointer: '/jobId', message: 'wrong' }]);
  });
});
