import type { Config } from '../config';

/**
 * When a session ends: `REFRESH_TOKEN_SECONDS` after its login, refreshed or not, and with `SESSION_IDLE_SECONDS` that long
 * after the login or the last refresh, if that is earlier.
 */
export function sessionEnd(
  { refreshSeconds, idleSeconds }: Config['tokens'],
  openedAt: Date,
  usedAt: Date,
): Date {
  const end = openedAt.getTime() + refreshSeconds * 1000;
  return new Date(idleSeconds === 0 ? end : Math.min(end, usedAt.getTime() + idleSeconds * 1000));
}
