import { expect, test } from 'vitest';
import { networkOf } from '../../../src/api/http/rateLimits.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['0313.0x0.113.07', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
  ['what a proxy made up', 'what a proxy made up'],
])('calls from %s are counted for %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
