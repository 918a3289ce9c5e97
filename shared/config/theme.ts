export interface Logo {
  /** As it is written. */
  url: string;
  /** What the pages' Content-Security-Policy allows to be loaded for it. */
  source: string;
}

/** Parses a colour. @returns it as `#rrggbb` @throws Error that says what it has to be */
export function parseColor(text: string): string {
  const [, long, short] = /^#(?:([0-9a-f]{6})|([0-9a-f]{3}))$/.exec(text.trim().toLowerCase()) ?? [];
  const digits = long ?? short?.replace(/./g, '$&$&');
  if (digits === undefined) throw new Error('must be a colour in hexadecimal, such as #1d4fc4');
  return `#${digits}`;
}

/** Parses the address of a picture. @throws Error that says what it has to be */
export function parseLogo(text: string): Logo {
  const url = text.trim();
  if (isOnThisHost(url)) return { url, source: "'self'" };
  const parsed = /^https:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.username !== '' || parsed.password !== '')
    throw new Error('must be an https:// URL without a user, or a path on this host such as /logo.svg');
  // Semicolons and commas separate directives and policies; a query is not part of a source (CSP level 3, section 2.3.1).
  const path = parsed.pathname.replaceAll(';', '%3B').replaceAll(',', '%2C');
  return { url: parsed.href, source: `${parsed.origin}${path}` };
}

/** Browsers also take `//host` and `/\\host` for addresses of another host. */
function isOnThisHost(url: string): boolean {
  const here = 'https://this.invalid';
  return url.startsWith('/') && URL.canParse(url, here) && new URL(url, here).origin === here;
}
