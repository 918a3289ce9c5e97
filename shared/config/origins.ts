import { itemsOf } from './values';

/** Origins of apps and extensions, such as `capacitor://localhost`, which the URL standard treats as opaque. */
const OTHER_ORIGIN = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9_.-]+(:\d{1,5})?$/;

/**
 * Parses allowed origins and normalizes them to the form of the `Origin` header (Fetch standard, section 3.2): lower case,
 * without the default port, without a trailing slash.
 * @throws Error for an origin that can never match
 */
export function parseOrigins(text: string): string[] {
  return itemsOf(text).map(parseOrigin);
}

/** @throws Error for an origin that can never match */
export function parseOrigin(written: string): string {
  const text = written.toLowerCase();
  if (text === '*') return text;
  if (OTHER_ORIGIN.test(text)) return text;
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new Error('must be origins such as https://app.example.com, separated by commas, or *');
  if (url.hostname.includes('*'))
    throw new Error('must list every origin: * cannot replace a part of one, only all of them');
  if (url.pathname !== '/' || /[?#@]/.test(written))
    throw new Error('must be origins without a path, query or user, such as https://app.example.com');
  return url.origin;
}
