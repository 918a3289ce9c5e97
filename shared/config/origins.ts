/** A scheme of apps and extensions, such as `capacitor://localhost`: the URL standard gives those no origin of their own. */
const OTHER_ORIGIN = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9_.-]+(:\d{1,5})?$/;

/**
 * Origins that browsers may call from, as their `Origin` header has them (the Fetch standard, section 3.2): read as meant
 * where there is one way to, so in lower case, without the scheme's own port, without a slash at the end.
 * @throws Error where one can never match
 */
export function parseOrigins(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(parseOrigin);
}

function parseOrigin(written: string): string {
  const text = written.toLowerCase();
  if (text === '*') return text;
  if (OTHER_ORIGIN.test(text)) return text;
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new Error('must be origins such as https://app.example.com, separated by commas, or *');
  if (url.hostname.includes('*'))
    throw new Error('must name every origin: a * cannot stand for a part of one, only for all of them');
  if (url.pathname !== '/' || /[?#@]/.test(written))
    throw new Error('must be origins without a path, query or user, such as https://app.example.com');
  return url.origin;
}
