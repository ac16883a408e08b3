import { type LookupAddress, lookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { promisify } from 'node:util';

/** All addresses of a name. @throws where it has none, or nobody can say */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

const systemLookup = promisify(lookup);
const ANSWER_MS = 2000;
const TRIES = 2;

/**
 * @param servers DNS servers to ask, `address` or `address:port`; with none the operating system is asked, which also
 *   reads its hosts file
 */
export function createLookup(servers: readonly string[]): Lookup {
  if (servers.length === 0) return (hostname) => systemLookup(hostname, { all: true });
  const resolver = new Resolver({ timeout: ANSWER_MS, tries: TRIES });
  resolver.setServers(servers);
  return async (hostname) => {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [...addresses(v4, 4), ...addresses(v6, 6)];
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
    return found;
  };
}

function addresses(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
}
