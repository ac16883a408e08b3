import { isIPv4 } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import ipaddr from 'ipaddr.js';
import { PreviewError } from '../../errors.ts';

/** How many calls may be made in a minute; 0: any number. */
export interface RateLimits {
  perKey: number;
  perAddress: number;
  /** The Redis in which processes count together. Without it, each process counts for itself. */
  redis?: Redis | undefined;
  /** Prefix of the names in Redis, so that services that share one do not count each other's calls. */
  namespace: string;
}

const WINDOW_MS = 60_000;
/** Monitoring calls these every few seconds. It must get answers even while the service is under attack. */
const UNCOUNTED = ['/livez', '/readyz', '/metrics'];

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Counts calls in fixed windows of a minute. While the counter is away, nobody is refused.
 * @returns the hook that counts by key, to be run once the key is known; undefined if there is no limit
 */
export async function limitRates(app: FastifyInstance, limits: RateLimits): Promise<Hook | undefined> {
  await app.register(rateLimit, {
    global: false,
    timeWindow: WINDOW_MS,
    skipOnError: true,
    nameSpace: `${limits.namespace}:rate:`,
    ...(limits.redis ? { redis: limits.redis } : {}),
  });
  const limiter = (
    max: number,
    nameOf: (request: FastifyRequest) => string,
    whose: string,
  ): Hook | undefined => {
    if (max === 0) return undefined;
    const count = app.createRateLimit({ max, keyGenerator: nameOf });
    return async (request) => {
      if (UNCOUNTED.includes(request.routeOptions.url ?? '')) return;
      const counted = await count(request);
      if (counted.isAllowed || !counted.isExceeded) return;
      const retryAfterSeconds = Math.max(1, counted.ttlInSeconds);
      throw new PreviewError(
        'rate_limited',
        `${whose} has made more than ${max} calls in a minute; try again in ${retryAfterSeconds} s.`,
        { retryAfterSeconds },
      );
    };
  };
  const countAddress = limiter(limits.perAddress, ({ ip }) => `address:${networkOf(ip)}`, 'Your address');
  if (countAddress) app.addHook('onRequest', countAddress);
  return limiter(limits.perKey, ({ keyId }) => `key:${keyId}`, 'This API key');
}

/** What counts as one caller: an IPv4 address, or an IPv6 network of 64 bits, in which a caller may take any address. */
export function networkOf(address: string): string {
  // The usual case, without a parser.
  if (isIPv4(address)) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toNormalizedString()}/64`)}/64`;
}
