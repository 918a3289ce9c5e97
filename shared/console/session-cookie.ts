import type { Config } from '../config';
import type { AccessToken, SessionTokens } from '../sessions/open-session';

export const SESSION_COOKIE = 'rollcall_console';

/**
 * What the console gets of a session's tokens: the access token, and the refresh token as a cookie, where scripts cannot read
 * it. The browser sends it to the endpoints of the session only, and from no page of another site.
 */
export function consoleSession(
  config: Config,
  pageOrigin: string | undefined,
  { refreshToken, ...access }: SessionTokens,
): { body: AccessToken; cookies: string[] } {
  return { body: access, cookies: [cookie(config, pageOrigin, refreshToken, config.tokens.refreshSeconds)] };
}

/** Has the browser forget the cookie. */
export function expiredCookie(config: Config, pageOrigin: string | undefined): string {
  return cookie(config, pageOrigin, '', 0);
}

function cookie({ mail }: Config, pageOrigin: string | undefined, value: string, maxAge: number): string {
  // A proxy may have removed the path below which the browser has this service. PUBLIC_URL says which it is, unless the page
  // is elsewhere: PUBLIC_URL can be the address of an app.
  const { origin, pathname } = new URL(mail.publicUrl);
  const base = pageOrigin === origin ? pathname.replace(/\/$/, '') : '';
  // Without TLS, as under `npm start`, a browser would not keep a secure cookie.
  const secure = mail.publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Path=${base}/console/session; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}
