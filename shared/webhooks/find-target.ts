import { isIP } from 'node:net';
import { kindOfAddress } from './address-rules';
import type { ResolveHost } from './resolve-host';

export type Target = { kind: 'found'; addresses: string[] } | { kind: 'refused'; reason: string };

const NOT_PUBLIC = 'the address of the host is not public';
const NEEDS_TLS = 'public addresses require https://';

/** Checks a URL without DNS. @returns why it is not allowed, or null */
export function problemOfUrl(url: URL, allowedNetworks: string[]): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must be an https:// URL';
  // Credentials would be stored and listed in plain text.
  if (url.username || url.password) return 'must not contain credentials';
  // Other ports below 1024 belong to other services, some of which would interpret parts of a request as commands.
  const port = Number(url.port || '443');
  if (port < 1024 && port !== 443 && port !== 80) return 'must have port 80, 443 or a port from 1024 on';
  const host = hostOf(url);
  // A host name may resolve to an allowed network, if there are any; `findTarget` checks that.
  const kind = isIP(host) ? kindOfAddress(host, allowedNetworks) : null;
  if (kind === 'forbidden') return 'must be a public address';
  const mayBeAllowed = kind === 'allowed' || (kind === null && allowedNetworks.length > 0);
  return url.protocol === 'http:' && !mayBeAllowed ? 'must be an https:// URL' : null;
}

/**
 * Resolves and checks the addresses to connect to. Checks all of them, because any may be used. The caller must connect to
 * these addresses without resolving the name again: the result could differ by then (DNS rebinding).
 */
export async function findTarget(url: URL, resolve: ResolveHost, allowedNetworks: string[]): Promise<Target> {
  const addresses = await resolve(hostOf(url));
  const kinds = addresses.map((address) => kindOfAddress(address, allowedNetworks));
  if (addresses.length === 0 || kinds.includes('forbidden')) return { kind: 'refused', reason: NOT_PUBLIC };
  if (url.protocol !== 'https:' && kinds.includes('public')) return { kind: 'refused', reason: NEEDS_TLS };
  return { kind: 'found', addresses };
}

/** The host without the brackets around an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
