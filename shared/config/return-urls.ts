import { itemsOf } from './values';

/** Hosts that only this machine reaches, so that nobody can read along (RFC 8252, section 8.3). */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
/**
 * A scheme of an app is a domain of its maker in reverse, so it has a dot (RFC 8252, section 7.1). That leaves out every
 * scheme by which a browser would run or read something: `javascript:`, `data:`, `blob:`, `file:`.
 */
const APP_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;
/** What the hosted pages append. */
const RESERVED = ['code', 'state'];

/**
 * Parses the URLs to which the hosted pages may return, separated by commas. They are compared as text (RFC 9700, section
 * 2.1), so each has to be written as browsers write it.
 * @throws Error for one that must not be a target, or could never be one
 */
export function parseReturnUrls(text: string): string[] {
  const urls = itemsOf(text);
  for (const url of urls) assertReturnUrl(url);
  return urls;
}

function assertReturnUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new Error('must be absolute URLs such as https://app.example.com/signed-in');
  const { protocol, hostname } = url;
  const isAllowed =
    protocol === 'https:' ||
    (protocol === 'http:' && LOOPBACK.test(hostname)) ||
    (APP_SCHEME.test(protocol) && url.pathname + url.host !== '');
  if (!isAllowed)
    throw new Error(
      'must start with https://, with http:// and a host of this machine, or with the scheme of an app, such as com.example.app:',
    );
  if (url.username !== '' || url.password !== '') throw new Error('must not have a user or password');
  if (text.includes('*')) throw new Error('must list every URL: * stands for nothing');
  // RFC 6749, section 3.1.2.
  if (text.includes('#')) throw new Error('must not have a fragment (#)');
  if (url.href !== text && url.href !== `${text}/`)
    throw new Error('must be written as browsers write them: in lower case, with escapes, without ..');
  if (RESERVED.some((name) => url.searchParams.has(name)))
    throw new Error(`must not have ${RESERVED.join(' or ')} in its query, which is appended`);
}
