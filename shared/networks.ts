import { BlockList, isIP } from 'node:net';

/** @param networks in CIDR notation, as `10.0.0.0/8` or `fd00::/8` */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

/** IPv4 networks also match IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`). */
export function isInNetworks(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
