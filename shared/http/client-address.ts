import { isIP } from 'node:net';
import { isInNetworks, networkList } from '../networks';

/**
 * Where a request comes from: the address that it arrived from or, while that is one of the proxies', the one before it
 * in `X-Forwarded-For`. Every proxy appends whom it heard from, so the list is read from its right: what stands left of
 * the first address that is no proxy's was written by the client, who may write anything.
 * @param trusted the networks of the proxies
 * @returns null where the gateway names no address
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
    // A proxy that hides whom it heard from is the last that is known.
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
