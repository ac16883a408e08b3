import { describe, expect, it } from 'vitest';
import { isAllowedAddress } from '../../../src/assets/egress.ts';

describe('the egress guard', () => {
  it.each(['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'])('lets %s through', (address) => {
    expect(isAllowedAddress(address, { allowPrivate: [] })).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '192.175.48.1',
    '192.52.193.1',
    '198.18.0.1',
    '240.0.0.1',
    '::1',
    '::',
    '::127.0.0.1',
    '::7f00:1',
    '::ffff:0:127.0.0.1',
    '64:ff9b:1::7f00:1',
    '2001:0:7f00:1::',
    '2001:db8::1',
    '3fff::1',
    '4000::1',
    'fec0::1',
    'fe80::1%lo',
    '100::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    'localhost',
    '',
  ])('stops %s', (address) => {
    expect(isAllowedAddress(address, { allowPrivate: [] })).toBe(false);
  });

  it('takes an IPv4 address mapped into IPv6 for what it leads to', () => {
    expect(isAllowedAddress('::ffff:93.184.216.34', { allowPrivate: [] })).toBe(true);
    expect(isAllowedAddress('::ffff:10.1.2.3', { allowPrivate: ['10.1.0.0/16'] })).toBe(true);
  });

  it('opens a private network only where it is listed', () => {
    expect(isAllowedAddress('10.1.2.3', { allowPrivate: ['10.1.0.0/16'] })).toBe(true);
    expect(isAllowedAddress('10.2.2.3', { allowPrivate: ['10.1.0.0/16'] })).toBe(false);
    expect(isAllowedAddress('fd00::5', { allowPrivate: ['10.1.0.0/16', 'fd00::/64'] })).toBe(true);
    expect(isAllowedAddress('fd00:0:0:1::5', { allowPrivate: ['fd00::/64'] })).toBe(false);
  });
});
