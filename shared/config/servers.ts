import { isIPv6 } from 'node:net';

// Where servers are. Each parser throws an Error that says what the variable must be, and repeats nothing of it:
// connection strings hold passwords.

const SSL_MODES = ['disable', 'no-verify', 'prefer', 'require', 'verify-ca', 'verify-full'];

/** A `postgres://` URL as pg reads it, also with a socket's directory as the host. @returns the text for pg */
export function parseDatabaseUrl(text: string): string {
  const { value, url } = parseServerUrl(text, ['postgres:', 'postgresql:']);
  const socket = /^%2f/i.test(url.hostname) || url.searchParams.has('host');
  if (!socket) assertHost(url);
  const database = url.pathname.slice(1);
  if (database === '' && url.username === '')
    throw new Error('must name a database, as in postgres://user:password@host/database');
  // The password had a slash in it, and all that follows became the path.
  if (database.includes('@')) throw new Error('must have / and @ in its password as %2F and %40');
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode))
    throw new Error(`must have one of these as its sslmode: ${SSL_MODES.join(', ')}`);
  return value;
}

/** An `amqp://` URL (the RabbitMQ URI specification). @returns the text for amqplib */
export function parseBrokerUrl(text: string): string {
  const { value, url } = parseServerUrl(text, ['amqp:', 'amqps:']);
  assertHost(url);
  if (url.pathname.includes('@')) throw new Error('must have / and @ in its password as %2F and %40');
  for (const name of ['heartbeat', 'frameMax', 'channelMax']) {
    const setting = url.searchParams.get(name);
    if (setting !== null && !/^\d{1,9}$/.test(setting))
      throw new Error(`must have a whole number as its ${name}`);
  }
  return value;
}

/** An `smtp://` URL, or `off`. @returns the text for nodemailer */
export function parseMailServerUrl(text: string): string {
  if (text === 'off') return text;
  if (!/^smtps?:/i.test(text.trim())) throw new Error('must be an smtp:// or smtps:// URL, or off');
  const { value, url } = parseServerUrl(text, ['smtp:', 'smtps:']);
  assertHost(url);
  return value;
}

/** The base of links, or the address of a service. @returns the URL in its normal form, without a slash at the end */
export function parseBaseUrl(text: string): string {
  const url = parseUrl(text, ['http:', 'https:']);
  if (url.username !== '' || url.password !== '') throw new Error('must be a URL without a user or password');
  if (/[?#]/.test(url.href)) throw new Error('must be a URL without a query or a fragment (? or #)');
  return url.href.replace(/\/+$/, '');
}

/** A host's name or address alone. @returns it as a URL takes it: an IPv6 address in brackets */
export function parseHost(text: string): string {
  const host = text.trim().replace(/^\[(.*)\]$/, '$1');
  if (isIPv6(host) && !host.includes('%')) return `[${host}]`;
  if (!HOST_NAME.test(host))
    throw new Error(
      'must be the name or address of a host alone: the port and the rest have variables of their own',
    );
  return host;
}

/** A virtual host by its name. Inside a URL it is percent-encoded, and here it is not. */
export function parseVirtualHost(text: string): string {
  if (/%[0-9a-f]{2}/i.test(text))
    throw new Error('must be the plain name, such as /, and not percent-encoded');
  if (Buffer.byteLength(text) > 255) throw new Error('must have at most 255 bytes');
  return text;
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;

function assertHost({ hostname }: URL): void {
  const named = HOST_NAME.test(hostname) || /^\[[0-9a-f:.]+\]$/i.test(hostname);
  if (!named) throw new Error('must name one host, as in scheme://user:password@host');
}

/** @returns the text with every `%` that begins no escape escaped, which is what drivers make of it or fail on */
function parseServerUrl(text: string, protocols: string[]): { value: string; url: URL } {
  const value = text.trim().replace(/%(?![0-9a-f]{2})/gi, '%25');
  const url = parseUrl(value, protocols);
  if (value.includes('#')) throw new Error('must have # as %23');
  if (url.port === '0') throw new Error('must have a port from 1 to 65535');
  for (const part of [url.username, url.password, url.hostname, url.pathname]) {
    try {
      decodeURIComponent(part);
    } catch {
      throw new Error('must have % as %25: what follows it is taken for an escape');
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
