import { describe, expect, test } from 'vitest';
import { PreviewError } from '../../src/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/logger.ts';

/** A logger, and what it has written. */
function capture(level: string, options: LoggerOptions = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string): void => void lines.push(line) };
  return { logger: createLogger(level, { ...options, destination }), lines };
}

describe('a line', () => {
  test('is one JSON object, with the level as a word and the time in UTC', () => {
    const { logger, lines } = capture('info');
    logger.info({ jobId: 'a' }, 'job\nstarted');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      jobId: 'a',
      msg: 'job\nstarted',
    });
  });

  test('tells an error with its code and its cause', () => {
    const { logger, lines } = capture('info');
    const cause = new Error('no space left');
    logger.error({ err: new PreviewError('store_unavailable', undefined, { cause }) }, 'failed');
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      code: 'store_unavailable',
      cause: { message: 'no space left' },
    });
  });

  test('is for people where it is to be pretty', () => {
    const { logger, lines } = capture('info', { format: 'pretty' });
    logger.info({ jobId: 'a' }, 'job started');
    expect(lines.join('')).toMatch(/INFO.*: job started\n\s+jobId: "a"/);
  });

  test('below the level is not written', () => {
    const { logger, lines } = capture('warn');
    logger.info('job started');
    expect(lines).toEqual([]);
  });
});

describe('what is never written', () => {
  test('are keys, secrets and passwords', () => {
    const { logger, lines } = capture('info');
    const hidden = {
      authorization: 'Bearer hunter2',
      apiKey: 'hunter2',
      secret: 'hunter2',
      password: 'hunter2',
    };
    logger.info({ ...hidden, headers: hidden }, 'request');
    expect(lines[0]).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ headers: { apiKey: '[redacted]' } });
  });

  test('are the fields that the configuration names', () => {
    const { logger, lines } = capture('info', { redact: ['projectId', 'err.message'] });
    logger.child({ projectId: 'acme' }).info({ err: new Error('acme is late'), other: 1 }, 'line');
    const line = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({ projectId: '[redacted]', err: { message: '[redacted]' }, other: 1 });
  });
});
