import type { IncomingMessage } from 'node:http';

/** What a request asks for: a path with its query, and the host if the target names one. */
export interface Target {
  path: string;
  host: string | undefined;
}

/**
 * Reads a request's target. Clients send a path, and to proxies a whole URL, which a server must accept as well. Its host then
 * counts instead of the header's (RFC 9112, sections 3.2.1 and 3.2.2).
 */
export function readTarget({ url = '/', headers }: IncomingMessage): Target {
  const [whole = '', host = headers.host] = /^https?:\/\/([^/?#]+)/i.exec(url) ?? [];
  return { path: url.slice(whole.length), host };
}
