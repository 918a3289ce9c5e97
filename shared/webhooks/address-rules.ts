import { isIP } from 'node:net';
import { isInNetworks, networkList } from '../networks';

// What is not the public Internet (the IANA special-purpose address registries, RFC 6890). A webhook's URL is a client's
// choice and the request comes from inside our network: without this, it could be sent to the metadata service of the
// cloud, to the database, or to a neighbour's admin page.
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
 * Only this is public, which leaves out loopback, link-local, unique local (with the metadata service of AWS), multicast,
 * and IPv4 in the clothes of IPv6: mapped, compatible, NAT64.
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
 * - `public`: anyone's
 * - `allowed`: not public, but the configuration allows it, also without TLS
 * - `forbidden`
 */
export type AddressKind = 'public' | 'allowed' | 'forbidden';

/** @param allowedNetworks in CIDR notation; they win over everything else */
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
