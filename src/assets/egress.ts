import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector } from 'undici';
import { PreviewError } from '../errors.ts';
import { type HostLists, isAllowedHost } from './hostLists.ts';
import { createLookup, type Lookup } from './lookup.ts';

/** Decides which addresses may be connected to. */
export interface EgressPolicy extends Partial<HostLists> {
  /** Networks in CIDR notation that may be reached although they are not public; for tests and private stores. */
  allowPrivate: readonly string[];
}

/**
 * An undici agent that connects to public unicast addresses only, of hosts that the lists allow.
 *
 * undici never calls `lookup` for an IP literal, so the host is checked here before anything else; a name is looked up
 * by us, every address it has is checked, and the socket goes to the checked one: a name that changes between
 * look-ups (DNS rebinding) changes nothing.
 */
export function createEgressAgent(
  policy: EgressPolicy,
  limits: { connectMs: number; idleMs: number },
  lookup: Lookup = createLookup([]),
): Agent {
  const { allowHosts = [], denyHosts = [] } = policy;
  const connect = buildConnector({
    timeout: limits.connectMs,
    lookup(hostname, options, callback) {
      lookup(hostname).then(
        (addresses) => {
          const [first] = addresses;
          const isRefused = addresses.some(({ address }) => !isAllowedAddress(address, policy));
          if (isRefused || !first) return callback(refusal(), []);
          return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
        },
        (error) => callback(error, []),
      );
    },
  });
  return new Agent({
    connect(options, callback) {
      const host = options.hostname.replace(/^\[|\]$/g, '');
      if (!isAllowedHost(host, { allowHosts, denyHosts })) return callback(hostRefusal(), null);
      if (isIP(host) && !isAllowedAddress(host, policy)) return callback(refusal(), null);
      return connect(options, (...result) => {
        const [error, socket] = result;
        if (error || !socket) return callback(...result);
        if (socket.remoteAddress && isAllowedAddress(socket.remoteAddress, policy))
          return callback(null, socket);
        socket.destroy();
        return callback(refusal(), null);
      });
    },
    headersTimeout: limits.idleMs,
    bodyTimeout: limits.idleMs,
  });
}

/** The only part of IPv6 that is handed out as public unicast (IANA, IPv6 Global Unicast Address Assignments). */
const PUBLIC_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Public unicast, or opened on purpose. An IPv4 address mapped into IPv6 counts as what it leads to; the other ways to
 * write one inside an IPv6 address (NAT64, 6to4, Teredo, `::127.0.0.1`) are refused whatever they lead to.
 */
export function isAllowedAddress(address: string, { allowPrivate }: EgressPolicy): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const opened = allowPrivate.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
  // ipaddr.js calls everything unicast that it does not know as special. That includes the IPv4-compatible ::7f00:1, which
  // leads to 127.0.0.1 on some systems (ipaddr.js 2.5).
  const isPublic = parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(PUBLIC_IPV6));
  return opened || isPublic;
}

const refusal = (): PreviewError =>
  new PreviewError(
    'asset_address_refused',
    'The address leads into a private or reserved network; only public addresses are fetched.',
  );

const hostRefusal = (): PreviewError =>
  new PreviewError('asset_address_refused', 'This service does not allow this host.');
