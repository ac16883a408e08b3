/** Which hosts may be reached: `example.org` is itself, `*.example.org` all names below it. */
export interface HostLists {
  /** Empty: all hosts that are not denied. */
  allowHosts: readonly string[];
  /** Wins over `allowHosts`. */
  denyHosts: readonly string[];
}

/** @param host a name, or an address without brackets, as it stands in a URL; a dot at its end is ignored */
export function isAllowedHost(host: string, { allowHosts, denyHosts }: HostLists): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const matches = (pattern: string): boolean =>
    pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
  if (denyHosts.some(matches)) return false;
  return allowHosts.length === 0 || allowHosts.some(matches);
}
