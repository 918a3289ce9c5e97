import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

const TIMEOUT_MS = 3_000;
const TRIES = 2;

/** Returns all addresses of a host. Throws if there are none. */
export type ResolveHost = (hostname: string) => Promise<string[]>;

/**
 * Queries DNS directly. `getaddrinfo`, which Node.js uses by default, runs in a pool of four threads: four names with
 * unresponsive servers would block all other deliveries. /etc/hosts is therefore ignored; `localhost` resolves as RFC
 * 6761, section 6.3, specifies.
 * @throws Error for a name without addresses
 */
export async function resolveHost(hostname: string): Promise<string[]> {
  if (isIP(hostname)) return [hostname];
  if (/(^|\.)localhost\.?$/i.test(hostname)) return ['127.0.0.1', '::1'];
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length === 0) throw new Error('the host name does not resolve');
  return addresses;
}
