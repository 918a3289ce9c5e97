import { isIP } from 'node:net';
import { kindOfAddress } from './address-rules';
import type { ResolveHost } from './resolve-host';

export type Target = { kind: 'found'; addresses: string[] } | { kind: 'refused'; reason: string };

const REFUSED = 'its address is not public';
const NEEDS_TLS = 'only https:// goes over the public Internet';

/** What can be said of a URL without asking the DNS. @returns why it cannot be an endpoint's, or null */
export function problemOfUrl(url: URL, allowedNetworks: string[]): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https:// URL';
  // They would be in the database and in every list of endpoints in the clear.
  if (url.username || url.password) return 'must not have credentials in it';
  // Ports below 1024 are other services', some of which take commands from the middle of a request.
  const port = Number(url.port || '443');
  if (port < 1024 && port !== 443 && port !== 80) return 'must have port 443, 80, or one from 1024 on';
  const host = hostOf(url);
  // A name may turn out to be in one of the allowed networks, where there are any: that is seen when it is resolved.
  const kind = isIP(host) ? kindOfAddress(host, allowedNetworks) : null;
  if (kind === 'forbidden') return 'must be a public address';
  const mayBeAllowed = kind === 'allowed' || (kind === null && allowedNetworks.length > 0);
  return url.protocol === 'http:' && !mayBeAllowed ? 'must be an https:// URL' : null;
}

/**
 * The addresses to connect to. Every one that the name has is checked, since any may be the one that is used. The caller
 * connects to these and asks the DNS no second time: its answer could be another one by then (DNS rebinding).
 */
export async function findTarget(url: URL, resolve: ResolveHost, allowedNetworks: string[]): Promise<Target> {
  const addresses = await resolve(hostOf(url));
  const kinds = addresses.map((address) => kindOfAddress(address, allowedNetworks));
  if (addresses.length === 0 || kinds.includes('forbidden')) return { kind: 'refused', reason: REFUSED };
  if (url.protocol !== 'https:' && kinds.includes('public')) return { kind: 'refused', reason: NEEDS_TLS };
  return { kind: 'found', addresses };
}

/** Without the brackets that a URL has around an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
