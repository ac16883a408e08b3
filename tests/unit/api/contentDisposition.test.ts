import { expect, test } from 'vitest';
import { contentDisposition } from '../../../src/api/files/artifacts.ts';

test.each([
  ['preview.mp4', `inline; filename="preview.mp4"; filename*=UTF-8''preview.mp4`],
  ['my preview.mp4', `inline; filename="my preview.mp4"; filename*=UTF-8''my%20preview.mp4`],
  ['a"b\\c.mp4', `inline; filename="a_b_c.mp4"; filename*=UTF-8''a%22b%5Cc.mp4`],
  ["it's (new)*!.mp4", `inline; filename="it's (new)*!.mp4"; filename*=UTF-8''it%27s%20%28new%29%2A!.mp4`],
  ['a\r\nset-cookie: x', `inline; filename="a__set-cookie: x"; filename*=UTF-8''a%0D%0Aset-cookie%3A%20x`],
  ['Übung 😀.mp4', `inline; filename="_bung __.mp4"; filename*=UTF-8''%C3%9Cbung%20%F0%9F%98%80.mp4`],
  ['100%.mp4', `inline; filename="100_.mp4"; filename*=UTF-8''100%25.mp4`],
  ['../../etc/passwd', `inline; filename=".._.._etc_passwd"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd`],
  ['\ud800.mp4', `inline; filename="_.mp4"; filename*=UTF-8''%EF%BF%BD.mp4`],
])('the name %j is written so that no client reads another one', (name, header) => {
  expect(contentDisposition('inline', name)).toBe(header);
});
