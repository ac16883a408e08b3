import { expect, test } from 'vitest';
import { findPathSources } from '../../../src/job/findPathSources.ts';
import { imageOf, jobWith } from './jobs.ts';

test('every asset with a path is named, and no other', () => {
  const job = jobWith({
    assets: [imageOf('a', { path: 'a.jpg' }), imageOf('b'), imageOf('c', { path: 'c.jpg' })],
  });
  expect(findPathSources(job)).toEqual([
    { pointer: '/previewRequest/assets/0/path', message: expect.stringContaining('command line only') },
    { pointer: '/previewRequest/assets/2/path', message: expect.stringContaining('command line only') },
  ]);
});
