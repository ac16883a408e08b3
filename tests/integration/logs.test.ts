import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { openQueueWorld, type QueueWorld, toldJob } from '../support/queueWorld.ts';
import { type Service, smallJob, startService } from '../support/service.ts';

type Line = Record<string, unknown>;

function capture(level: string) {
  const lines: Line[] = [];
  const destination = { write: (text: string): void => void lines.push(JSON.parse(text)) };
  return { logger: createLogger(level, { destination }), lines };
}

describe('the log of a job', () => {
  let service: Service | undefined;
  let world: QueueWorld | undefined;

  afterEach(async () => {
    await service?.stop();
    await world?.close();
    service = undefined;
    world = undefined;
  });

  it('says on each line whose it is, from the request to the parts that the child made', async () => {
    const { logger, lines } = capture('debug');
    service = await startService({}, logger);
    const whose = { requestId: 'request-story', jobId: 'story', projectId: 'tests' };
    await service.post('/api/preview/job', smallJob('story'));
    await service.ended('story');
    await service.post('/api/preview/job', smallJob('other'));
    await service.ended('other');

    const about = lines.filter((line) => line.jobId === 'story' || line.requestId === 'request-story');
    for (const line of about) expect(line).toMatchObject(whose);
    // A worker may have the job before its sender has the answer.
    const posted = about.filter(({ msg }) => msg === 'job posted');
    expect(posted).toMatchObject([{ httpRequestId: expect.any(String) }]);
    const attempt = about.filter((line) => !posted.includes(line));
    for (const line of attempt) expect(line).toMatchObject({ attempt: 1 });
    expect(attempt.map(({ msg }) => msg)).toEqual([
      'job started',
      ...attempt.slice(1, -1).map(() => 'part made'),
      'job completed',
    ]);
    expect(attempt.map(({ part }) => part)).toEqual(expect.arrayContaining(['thumb', 'segment', 'movie']));
    // The second job says the same of itself, though its child is the same process.
    expect(lines.filter(({ jobId, part }) => jobId === 'other' && part).length).toBeGreaterThan(0);
  });

  it('counts the attempts, and has what the child complains of on stderr', async () => {
    const { logger, lines } = capture('info');
    world = await openQueueWorld(undefined, { logger });
    await world.startWorker();
    await world.client.enqueue(toldJob('odd', ['fail', 'complain']));
    const about = await eventually(async () => {
      const all = lines.filter(({ jobId }) => jobId === 'odd');
      return all.length === 5 ? all : undefined;
    }, 'every line of the job');
    const complaint = about.find(({ source }) => source === 'render child');
    expect(about.filter((line) => line !== complaint).map(({ msg, attempt }) => [msg, attempt])).toEqual([
      ['job started', 1],
      ['attempt failed, the job will be retried', 1],
      ['job started', 2],
      ['job completed', 2],
    ]);
    // It comes by a way of its own, and may come later than the answer.
    expect(complaint).toMatchObject({
      ...{ msg: 'libpicture: this is odd', attempt: 2 },
      ...{ level: 'warn', requestId: 'request-odd' },
    });
  });
});
