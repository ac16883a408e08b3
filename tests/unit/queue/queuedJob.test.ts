import { expect, it } from 'vitest';
import { parseQueueId, queueId } from '../../../src/queue/queuedJob.ts';

it('makes an id for the queue of which both ids can be told again', () => {
  const ids = { projectId: 'a.b-c_d', jobId: '2024-01' };
  expect(queueId(ids)).toBe('a.b-c_d~2024-01');
  expect(parseQueueId(queueId(ids))).toEqual(ids);
});

it.each(['', 'alone', '~job', 'project~', 'a~b~c'])('makes nothing of the foreign id "%s"', (id) => {
  expect(parseQueueId(id)).toBeUndefined();
});
