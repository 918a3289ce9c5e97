import { isIP } from 'node:net';
import { isInNetworks, networkList } from '../networks';

// Addresses that are not on the public Internet (IANA special-purpose address registries, RFC 6890). Clients choose the
// URL of a webhook, and the request is sent from inside our network: without this check, they could reach the cloud's
// metadata service, the database or internal admin pages (SSRF).
const NOT_PUBLIC_V4 = [
  '0.0.0.0/8', // "this network": 0.0.0.0 reaches this machine
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers (CGNAT)
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, and the metadata service of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];
/**
 * Only this range is public. It excludes loopback, link-local, unique local (including the metadata service of AWS),
 * multicast, and IPv4 addresses embedded in IPv6: mapped, compatible, NAT64.
 */
const PUBLIC_V6 = ['2000::/3'];
const NOT_PUBLIC_V6 = [
  '2001::/23', // protocol assignments, with Teredo, which holds an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which holds an IPv4 address
  '3fff::/20', // documentation
];

const notPublicV4 = networkList(NOT_PUBLIC_V4);
const publicV6 = networkList(PUBLIC_V6);
const notPublicV6 = networkList(NOT_PUBLIC_V6);

/**
 * - `public`: on the public Internet
 * - `allowed`: not public, but allowed by the configuration, even without TLS
 * - `forbidden`
 */
export type AddressKind = 'public' | 'allowed' | 'forbidden';

/** @param allowedNetworks in CIDR notation; they take precedence over all other rules */
export function kindOfAddress(address: string, allowedNetworks: string[]): AddressKind {
  const family = isIP(address);
  if (family === 0) return 'forbidden';
  if (isInNetworks(networkList(allowedNetworks), address)) return 'allowed';
  const isPublic =
    family === 4
      ? !isInNetworks(notPublicV4, address)
      : isInNetworks(publicV6, address) && !isInNetworks(notPublicV6, address);
  return isPublic ? 'public' : 'forbidden';
}
