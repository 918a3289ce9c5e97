import type { Context } from '../context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { permissionsOf } from '../roles/permissions';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import type { User } from '../users/user';
import { signAccessToken } from './access-token';
import { insertRefreshToken, insertSession } from './session-store';

export interface SessionTokens {
  accessToken: string;
  refreshToken: string;
  tokenType: 'Bearer';
  /** Seconds until the access token runs out. */
  expiresIn: number;
}

/** Opens a session in the caller's transaction. The returned tokens are worth nothing until it commits. */
export async function openSession(
  tx: Tx,
  ctx: Context,
  user: User,
  rolePermissions: string[],
  origin: Origin,
): Promise<{ sessionId: string; tokens: SessionTokens }> {
  const now = ctx.now();
  const sessionId = ctx.newId();
  const refreshToken = newOpaqueToken();
  await insertSession(tx, {
    id: sessionId,
    userId: user.id,
    now,
    expiresAt: new Date(now.getTime() + ctx.config.tokens.refreshSeconds * 1000),
    address: origin.address,
    userAgent: origin.userAgent,
  });
  await insertRefreshToken(tx, sessionId, hashToken(refreshToken), now);
  const accessToken = await signAccessToken(
    ctx.config.tokens,
    {
      userId: user.id,
      sessionId,
      tokenId: ctx.newId(),
      role: user.role,
      permissions: permissionsOf(user.role, rolePermissions),
    },
    now,
  );
  const expiresIn = ctx.config.tokens.accessSeconds;
  return { sessionId, tokens: { accessToken, refreshToken, tokenType: 'Bearer', expiresIn } };
}
