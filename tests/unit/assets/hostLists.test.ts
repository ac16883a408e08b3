import { describe, expect, it } from 'vitest';
import { isAllowedHost } from '../../../src/assets/hostLists.ts';

describe('the lists of hosts', () => {
  it.each([
    ['example.org', [], [], true],
    ['cdn.example.org', ['cdn.example.org'], [], true],
    ['CDN.example.org.', ['cdn.example.org'], [], true],
    ['example.org', ['cdn.example.org'], [], false],
    ['a.example.org', ['*.example.org'], [], true],
    ['a.b.example.org', ['*.example.org'], [], true],
    ['example.org', ['*.example.org'], [], false],
    ['badexample.org', ['*.example.org'], [], false],
    ['example.org.evil.net', ['*.example.org', 'example.org'], [], false],
    ['a.example.org', ['*.example.org'], ['a.example.org'], false],
    ['a.example.org.', [], ['*.example.org'], false],
    ['192.0.2.1', [], ['192.0.2.1'], false],
  ])('%s, where %j are allowed and %j denied: %s', (host, allowHosts, denyHosts, expected) => {
    expect(isAllowedHost(host, { allowHosts, denyHosts })).toBe(expected);
  });
});
