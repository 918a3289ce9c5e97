import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { type Permission, permissionsOf } from '../roles/permissions';
import type { User } from '../users/user';
import { verifyAccessToken } from './access-token';
import { findSessionUser } from './session-store';

/** Who is calling: read anew at every request, so that a revoked session or a changed role counts at once. */
export interface Caller {
  user: User;
  sessionId: string;
  permissions: ReadonlySet<Permission>;
  /** When whoever got this very token had given the password; null: nobody knows. */
  provenAt: Date | null;
}

/** @throws DomainError `unauthorized` for a missing, invalid or expired token and a session or user that is gone */
export async function authenticate(ctx: Context, token: string | null): Promise<Caller> {
  const caller = await authenticateOptional(ctx, token);
  if (!caller) throw new DomainError('unauthorized', { headers: { 'www-authenticate': 'Bearer' } });
  return caller;
}

/** As `authenticate`, for what anyone may do: no token is no caller, but a token that is sent has to be valid. */
export async function authenticateOptional(ctx: Context, token: string | null): Promise<Caller | null> {
  if (token === null) return null;
  const now = ctx.now();
  const claims = await verifyAccessToken(ctx.config.tokens, token, now);
  const found = claims && (await findSessionUser(ctx.db, claims.sessionId, claims.userId, now));
  if (!found) {
    throw new DomainError('unauthorized', {
      detail: 'The access token is not valid or no longer valid: log in again',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
  ctx.log.bind({ userId: found.user.id });
  return {
    user: found.user,
    sessionId: claims.sessionId,
    permissions: permissionsOf(found.user.role, found.rolePermissions),
    provenAt: claims.provenAt,
  };
}
