import { isIPv6 } from 'node:net';

const BLOCK_GROUPS = 4;

/**
 * What one client has to itself: an IPv4 address, or the /64 that every IPv6 line gets and can pick any of 2^64
 * addresses from. A request without an address shares one block with all others of its kind.
 */
export function addressBlock(address: string | null): string {
  if (address === null) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(address)) return address;
  // The URL parser writes an address in its one short form (RFC 5952), whatever it was written like.
  const short = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...(tail ?? [])];
  return `${groups.slice(0, BLOCK_GROUPS).join(':')}::/64`;
}
