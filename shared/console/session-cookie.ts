import type { Config } from '../config';
import type { AccessToken, SessionTokens } from '../sessions/open-session';

export const SESSION_COOKIE = 'rollcall_console';

/**
 * What the console gets of a session's tokens: the access token, and the refresh token as a cookie, where scripts cannot read
 * it. The browser sends it to the endpoints of the session only, and from no page of another site.
 */
export function consoleSession(
  config: Config,
  { refreshToken, ...access }: SessionTokens,
): { body: AccessToken; cookies: string[] } {
  return { body: access, cookies: [cookie(config, refreshToken, config.tokens.refreshSeconds)] };
}

/** Has the browser forget the cookie. */
export function expiredCookie(config: Config): string {
  return cookie(config, '', 0);
}

function cookie({ mail }: Config, value: string, maxAge: number): string {
  // Without TLS, as under `npm start`, a browser would not keep a secure cookie.
  const secure = mail.publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${SESSION_COOKIE}=${value}; Path=/console/session; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}
