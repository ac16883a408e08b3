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
  /** Where processes count together; without it each counts for itself. */
  redis?: Redis | undefined;
  /** In front of the names in Redis, so that services that share one do not count each other's calls. */
  namespace: string;
}

const WINDOW_MS = 60_000;
/** Asked by machines that watch over the service, every few seconds: they must see it also while it is attacked. */
const UNCOUNTED = ['/livez', '/readyz', '/metrics'];

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * Counts calls by fixed windows of a minute. Where the counter is away nobody is refused.
 * @returns the hook that counts by key, for after the key is known; undefined where any number of calls may be made
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

/** What one caller has: an address in IPv4, the network of 64 bits in IPv6, in which it may take any address. */
export function networkOf(address: string): string {
  // The usual case, without a parser.
  if (isIPv4(address)) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toNormalizedString()}/64`)}/64`;
}
