import { isIPv6 } from 'node:net';
import { isAbsolute } from 'node:path';

// Server addresses. Each parser throws an Error that describes a valid value and never repeats the given one, because
// connection strings contain passwords.

const UNESCAPED = 'must have / and @ in its password as %2F and %40';
const SSL_MODES = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** Checks a `postgres://` URL, whose host may be the directory of a socket. @returns the URL for pg */
export function parseDatabaseUrl(text: string): string {
  const { value, url } = parseServerUrl(text, ['postgres:', 'postgresql:']);
  const socket = /^%2f/i.test(url.hostname) || url.searchParams.has('host');
  if (!socket) assertHost(url);
  const database = url.pathname.slice(1);
  if (database === '' && url.username === '')
    throw new Error('must name a database, as in postgres://user:password@host/database');
  // The password contains a slash, so the rest was parsed as the path.
  if (database.includes('@')) throw new Error(UNESCAPED);
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode))
    throw new Error(`must have one of these values of sslmode: ${SSL_MODES.join(', ')}`);
  return value;
}

/** Checks an `amqp://` URL (RabbitMQ URI specification). @returns the URL for amqplib */
export function parseBrokerUrl(text: string): string {
  const { value, url } = parseServerUrl(text, ['amqp:', 'amqps:']);
  assertHost(url);
  if (url.pathname.includes('@')) throw new Error(UNESCAPED);
  for (const name of ['heartbeat', 'frameMax', 'channelMax']) {
    const setting = url.searchParams.get(name);
    if (setting !== null && !/^\d{1,9}$/.test(setting))
      throw new Error(`must have a whole number as its ${name}`);
  }
  return value;
}

/** Checks an `smtp://` URL, or `off`. @returns the URL for nodemailer */
export function parseMailServerUrl(text: string): string {
  if (text === 'off') return text;
  if (!/^smtps?:/i.test(text.trim())) throw new Error('must be an smtp:// or smtps:// URL, or off');
  const { value, url } = parseServerUrl(text, ['smtp:', 'smtps:']);
  assertHost(url);
  return value;
}

/** Checks a base URL. @returns the normalized URL, without a trailing slash */
export function parseBaseUrl(text: string): string {
  const url = parseUrl(text, ['http:', 'https:']);
  if (url.username !== '' || url.password !== '' || /[?#]/.test(url.href))
    throw new Error('must be a URL without a user, a password, a query or a fragment');
  return url.href.replace(/\/+$/, '');
}

/** Checks where breached passwords are looked up: `off`, a file or folder, or the URL of a range service. @returns it */
export function parseBreachedSource(text: string): string {
  if (text === 'off' || isAbsolute(text)) return text;
  if (URL.canParse(text)) return parseBaseUrl(text);
  throw new Error('must be off, the URL of a range service or the absolute path of a local copy');
}

/** Checks a host name or address. @returns the host for a URL, an IPv6 address in brackets */
export function parseHost(text: string): string {
  const host = text.trim().replace(/^\[(.*)\]$/, '$1');
  if (isIPv6(host) && !host.includes('%')) return `[${host}]`;
  if (!HOST_NAME.test(host))
    throw new Error(
      'must be only the name or address of a host: the port and everything else have their own variables',
    );
  return host;
}

/** The plain name of a virtual host. Unlike in a URL, it is not percent-encoded. */
export function parseVirtualHost(text: string): string {
  if (/%[0-9a-f]{2}/i.test(text)) throw new Error('must be the plain name, such as /, not percent-encoded');
  if (Buffer.byteLength(text) > 255) throw new Error('must have at most 255 bytes');
  return text;
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;

function assertHost({ hostname }: URL): void {
  const named = HOST_NAME.test(hostname) || /^\[[0-9a-f:.]+\]$/i.test(hostname);
  if (!named) throw new Error('must name one host, as in scheme://user:password@host');
}

/** @returns the text with every `%` escaped that does not start an escape; drivers do the same or fail */
function parseServerUrl(text: string, protocols: string[]): { value: string; url: URL } {
  const value = text.trim().replace(/%(?![0-9a-f]{2})/gi, '%25');
  const url = parseUrl(value, protocols);
  if (value.includes('#')) throw new Error('must have # as %23');
  if (url.port === '0') throw new Error('must have a port from 1 to 65535');
  for (const part of [url.username, url.password, url.hostname, url.pathname]) {
    try {
      decodeURIComponent(part);
    } catch {
      throw new Error('must have % as %25, because it starts an escape sequence');
    }
  }
  return { value, url };
}

function parseUrl(text: string, protocols: string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && protocols.includes(url.protocol)) return url;
  throw new Error(
    `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );
}
