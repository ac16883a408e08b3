import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PreviewError } from '../../src/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/logger.ts';
import { processFile } from '../support/processes.ts';

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

describe('all lines come to stdout, in their order, where the process ends', () => {
  /** The numbers of the lines that a process wrote before it ended. */
  async function numbersOf(end: string, format: string): Promise<number[]> {
    const child = spawn(process.execPath, [processFile('logAndEnd'), end, format], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const written = stripVTControlCharacters(await text(child.stdout));
    return [...written.matchAll(/\bi\W+(\d+)/g)].map(([, number]) => Number(number));
  }
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  test.each([
    ['by itself', 'json', 100],
    ['on process.exit', 'json', 101],
    ['on process.exit', 'pretty', 101],
    ['on an error that nobody catches', 'json', 100],
    ['on SIGTERM', 'json', 100],
    ['on SIGKILL after a fatal line', 'pretty', 101],
  ])('%s (%s)', async (end, format, count) => {
    expect(await numbersOf(end, format)).toEqual(numbers(count));
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

  test('is redacted where a path has a wildcard: in what is an object, and alone in everything', () => {
    const within = capture('info', { redact: ['*.secretWord'] });
    within.logger.info({ words: 'said', number: 1, nested: { secretWord: 'x', other: [1] } }, 'job posted');
    const { time: _, ...line } = JSON.parse(within.lines[0] ?? '');
    expect(line).toEqual({
      level: 'info',
      msg: 'job posted',
      words: 'said',
      number: 1,
      nested: { secretWord: '[redacted]', other: [1] },
    });
    const all = capture('info', { redact: ['*'] });
    all.logger.info({ words: 'said', number: 1 });
    expect(JSON.parse(all.lines[0] ?? '')).toMatchObject({ words: '[redacted]', number: '[redacted]' });
  });

  test.each([
    ['redis://user:hunter2@queue.example:6379/1 is away', 'redis://[redacted]@queue.example:6379/1 is away'],
    [
      'GET https://cdn.example/a.png?token=hunter2&b=1 failed',
      'GET https://cdn.example/a.png?[redacted] failed',
    ],
    ['https://me:hunter2@cdn.example/a?x=hunter2#f', 'https://[redacted]@cdn.example/a?[redacted]#f'],
    [
      '/artifacts/ab/x.mp4?kid=k1&signature=hunter2&e=1',
      '/artifacts/ab/x.mp4?kid=k1&signature=[redacted]&e=1',
    ],
    ['X-Amz-Signature=hunter2 and', 'X-Amz-Signature=[redacted] and'],
    ['Authorization: Bearer hunter2-hunter2', 'Authorization: Bearer [redacted]'],
    ['the secret whsec_aHVudGVyMg== is old', 'the secret whsec_[redacted] is old'],
    ['aUTHORIZATION: BEARER hunter2-hunter2', 'aUTHORIZATION: BEARER [redacted]'],
    ['bAsIc aHVudGVyMg==', 'bAsIc [redacted]'],
    ['?X-AMZ-CREDENTIAL=hunter2&x', '?X-AMZ-CREDENTIAL=[redacted]&x'],
    ['Security-Token=hunter2', 'Security-Token=[redacted]'],
    ['REDIS://me:hunter2@queue.example', 'REDIS://[redacted]@queue.example'],
    ['s3://bucket/key?hunter2', 's3://bucket/key?[redacted]'],
    ['nothing at http://127.0.0.1:3000', 'nothing at http://127.0.0.1:3000'],
    ['a basic one, a=b, the bearer came, whsec_', 'a basic one, a=b, the bearer came, whsec_'],
  ])('are secrets that are part of a text: %s', (text, written) => {
    const { logger, lines } = capture('info');
    logger.info({ err: new Error(text), deep: { est: [text] } }, text);
    const line = JSON.parse(lines[0] ?? '');
    expect(lines[0]).not.toContain('hunter2');
    expect([line.msg, line.err.message, line.deep.est[0]]).toEqual([written, written, written]);
  });

  test('is what libraries hang onto their errors', () => {
    const { logger, lines } = capture('info');
    const command = { name: 'auth', args: ['hunter2'] };
    const cause = Object.assign(new Error('WRONGPASS'), { command, code: 'ERR' });
    logger.error({ err: new AggregateError([cause], 'none answered', { cause }) }, 'redis');
    expect(lines[0]).not.toContain('hunter2');
    const told = { type: 'Error', message: 'WRONGPASS', code: 'ERR' };
    expect(JSON.parse(lines[0] ?? '').err).toMatchObject({
      type: 'AggregateError',
      errors: [told],
      cause: told,
    });
  });

  test('is where things are on this machine', () => {
    const { logger, lines } = capture('info', {
      places: { DATA_DIR: '/srv/previews', FONTS: '/srv/previews/fonts' },
    });
    const err = new Error("ENOENT: no such file, open '/srv/previews/store/tmp/x'");
    logger.error({ err, other: '/srv/previews-of-others', font: '/srv/previews/fonts/a.ttf' }, tmpdir());
    const line = JSON.parse(lines[0] ?? '');
    expect(line.err.message).toBe("ENOENT: no such file, open 'DATA_DIR/store/tmp/x'");
    expect(line.err.stack).toContain('at tests/unit/logger.test.ts:');
    expect(lines[0]).not.toContain(process.cwd());
    expect(line).toMatchObject({ msg: 'TMPDIR', other: '/srv/previews-of-others', font: 'FONTS/a.ttf' });
  });

  test.each([
    ['/srv/previews', 'DATA_DIR'],
    ['file:///srv/previews/a', 'DATA_DIR/a'],
    ['in /srv/previews, and', 'in DATA_DIR, and'],
    ['/mnt/srv/previews', '/mnt/srv/previews'],
    ['/srv/previews.old', '/srv/previews.old'],
    ['/SRV/previews', '/SRV/previews'],
  ])('is a folder of this machine, where it is one: %s', (text, written) => {
    const { logger, lines } = capture('info', { places: { DATA_DIR: '/srv/previews' } });
    logger.info(text);
    expect(JSON.parse(lines[0] ?? '').msg).toBe(written);
  });
});
