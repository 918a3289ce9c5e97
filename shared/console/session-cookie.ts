import type { Config } from '../config';

export const SESSION_COOKIE = 'rollcall_console';

/**
 * Keeps a console session's refresh token where scripts cannot read it. Sent to the endpoints of the session only, and by
 * no page of another site.
 */
export function sessionCookie(config: Config, refreshToken: string): string {
  return cookie(config, refreshToken, config.tokens.refreshSeconds);
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
