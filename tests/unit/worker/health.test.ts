import { expect, it } from 'vitest';
import { checkHealth } from '../../../src/worker/health.ts';

it.each([
  [29, 'ok'],
  [30, 'down'],
])('after %i s in which jobs waited and none was taken, the health is %s', async (seconds, status) => {
  const sample = {
    ...{ counts: {}, waiting: 1, total: 1, limit: 20, oldestWaitingAgeSeconds: seconds, deadLetters: 0 },
    ...{ workers: ['a-worker'], standstillSeconds: seconds },
  };
  const health = await checkHealth({
    backend: { ping: async () => 1 },
    store: { check: async () => undefined },
    watch: { latest: () => sample },
  });
  expect(health.status).toBe(status);
});
