import { expect, it } from 'vitest';
import { rethrowUnavailable } from '../../../src/storage/storeUnavailable.ts';

const told = (code: string): unknown => {
  try {
    return rethrowUnavailable(Object.assign(new Error(`${code}: open '/secret/place'`), { code }));
  } catch (error) {
    return error;
  }
};

it.each([
  ['ENOSPC', /check the disk/],
  ['EMFILE', /this process has too many files open: raise its limit with `ulimit -n`/],
  ['ENFILE', /this machine has too many files open: raise fs\.file-max/],
])('says of %s what to do, without the path', (code, advice) => {
  const error = told(code);
  expect(error).toMatchObject({ code: 'store_unavailable', cause: { code } });
  expect(String(error)).toMatch(advice);
  expect(String(error)).not.toContain('secret');
});

it.each(['EMFILE', 'ENFILE'])('says nothing of the disk where it is %s', (code) => {
  expect(String(told(code))).not.toContain('disk');
});

it('leaves other errors as they are', () => {
  expect(told('EPIPE')).toMatchObject({ code: 'EPIPE' });
});
