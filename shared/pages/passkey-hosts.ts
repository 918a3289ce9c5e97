import type { Config } from '../config';

/** The hosts of pages that may use passkeys, for a data attribute: on a page under another name nothing is offered. */
export function passkeyHosts({ passkeys }: Pick<Config, 'passkeys'>): string {
  const pages = passkeys.origins.filter((origin) => /^https?:/.test(origin));
  return pages.map((origin) => new URL(origin).host).join(' ');
}
