import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { type Permission, permissionsOf } from '../roles/permissions';
import type { User } from '../users/user';
import { verifyAccessToken } from './access-token';
import { findSessionUser } from './session-user-store';

/** The authenticated caller. Read at every request, so that revoked sessions and role changes take effect at once. */
export interface Caller {
  user: User;
  sessionId: string;
  permissions: ReadonlySet<Permission>;
  /** When the user authenticated for this token (`auth_time`); null if unknown. */
  provenAt: Date | null;
  /** How the user has authenticated in this session (RFC 8176). */
  amr: readonly string[];
  /** Whether the user has a second factor. */
  hasFactor: boolean;
  /** The role requires a second factor, which the user has not set up or not proven: only to set one up. */
  mustSetUpFactor: boolean;
}

/** @throws DomainError `unauthorized` if the token is missing, invalid or expired, or its session or user is gone */
export async function authenticate(ctx: Context, token: string | null): Promise<Caller> {
  const caller = await authenticateOptional(ctx, token);
  if (!caller) throw new DomainError('unauthorized', { headers: { 'www-authenticate': 'Bearer' } });
  return caller;
}

/** Like `authenticate`, but returns null without a token. A token that is sent must be valid. */
export async function authenticateOptional(ctx: Context, token: string | null): Promise<Caller | null> {
  if (token === null) return null;
  const now = ctx.now();
  const claims = await verifyAccessToken(ctx.config.tokens, token, now);
  const found = claims && (await findSessionUser(ctx.db, claims.sessionId, claims.userId, now));
  if (!found) {
    throw new DomainError('unauthorized', {
      detail: 'The access token is invalid or no longer valid. Log in again',
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
  ctx.log.bind({ userId: found.user.id });
  return {
    user: found.user,
    sessionId: claims.sessionId,
    permissions: permissionsOf(found.user.role, found.rolePermissions),
    provenAt: claims.provenAt,
    amr: found.amr,
    hasFactor: found.hasFactor,
    mustSetUpFactor: found.mustSetUpFactor,
  };
}
