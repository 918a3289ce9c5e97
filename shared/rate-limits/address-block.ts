import { isIPv6 } from 'node:net';

const BLOCK_GROUPS = 4;

/**
 * The addresses of one client: an IPv4 address, also in its IPv6 form, or an IPv6 /64, in which a client can pick any of 2^64
 * addresses. Requests without an address share one block.
 */
export function addressBlock(address: string | null): string {
  if (address === null) return 'unknown';
  if (!isIPv6(address)) return address;
  // The URL parser normalizes the address to its shortest form (RFC 5952).
  const short = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::').map((half) => half.split(':').filter(Boolean));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...(tail ?? [])];
  // IPv4-mapped: RFC 4291, section 2.5.5.2.
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff') return groups.slice(6).map(twoBytes).join('.');
  return `${groups.slice(0, BLOCK_GROUPS).join(':')}::/64`;
}

function twoBytes(group: string): string {
  const value = Number.parseInt(group, 16);
  return `${value >> 8}.${value & 255}`;
}
