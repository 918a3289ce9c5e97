import { isIP } from 'node:net';
import { isInNetworks, networkList } from '../networks';

/**
 * The client's address. If the request arrives from a trusted proxy, reads `X-Forwarded-For` from the right, because each
 * proxy appends the address it received the request from, and stops at the first address that is not a proxy's: the
 * client can forge everything left of it.
 * @param trusted the networks of the proxies
 * @returns null if the gateway passes no address
 */
export function clientAddress(
  source: string | undefined,
  forwardedFor: string | undefined,
  trusted: string[],
): string | null {
  if (!source) return null;
  if (trusted.length === 0 || forwardedFor === undefined) return source;
  const proxies = networkList(trusted);
  let address = source;
  for (const entry of forwardedFor.split(',').reverse()) {
    if (!isInNetworks(proxies, address)) break;
    const before = withoutPort(entry.trim());
    // Some proxies write an obfuscated identifier; then the proxy itself is the last known address.
    if (isIP(before) === 0 || before.includes('%')) break;
    address = before;
  }
  return address;
}

/** Some proxies add the client's port: `192.0.2.1:49152`, `[2001:db8::1]:49152`. */
function withoutPort(entry: string): string {
  const [, bracketed, plain] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+)(?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? plain ?? entry;
}
