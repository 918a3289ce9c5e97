import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { permissionsOf } from '../roles/permissions';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { activeSuspension } from '../users/suspension';
import { signAccessToken } from './access-token';
import type { UserProof } from './proof';
import { sessionEnd } from './session-end';
import { insertSession, type ProvenSession } from './session-store';
import { suspended } from './suspended';

export interface AccessToken {
  accessToken: string;
  tokenType: 'Bearer';
  /** Seconds until the access token expires. */
  expiresIn: number;
}

export interface SessionTokens extends AccessToken {
  refreshToken: string;
}

/**
 * Opens a session from a proof in the caller's transaction. The tokens become valid when it commits.
 * @param sessionId a new id
 * @throws DomainError `user_suspended`
 */
export async function openSession(
  tx: Tx,
  ctx: Context,
  sessionId: string,
  { user, rolePermissions, at, amr }: Pick<UserProof, 'user' | 'rolePermissions'> & ProvenSession,
  origin: Origin,
): Promise<SessionTokens> {
  const now = ctx.now();
  // All sessions are opened here, so that no flow can open one for a suspended user.
  const suspension = activeSuspension(user, now);
  if (suspension !== null) throw suspended(suspension);
  const refreshToken = newOpaqueToken();
  await insertSession(tx, {
    id: sessionId,
    userId: user.id,
    now,
    expiresAt: sessionEnd(ctx.config.tokens, now, now),
    address: origin.address,
    userAgent: origin.userAgent,
    proof: { at, amr },
    tokenHash: hashToken(refreshToken),
  });
  const session = { id: sessionId, provenAt: at, amr };
  const access = await issueAccessToken(ctx, session, user, rolePermissions);
  return { ...access, refreshToken };
}

export async function issueAccessToken(
  ctx: Context,
  session: { id: string; provenAt: Date | null; amr: readonly string[] },
  user: { id: string; role: string },
  rolePermissions: string[],
): Promise<AccessToken> {
  const { tokens } = ctx.config;
  const subject = {
    userId: user.id,
    sessionId: session.id,
    tokenId: ctx.newId(),
    role: user.role,
    permissions: permissionsOf(user.role, rolePermissions),
    provenAt: session.provenAt,
    amr: session.amr,
  };
  const accessToken = await signAccessToken(tokens, subject, ctx.now());
  return { accessToken, tokenType: 'Bearer', expiresIn: tokens.accessSeconds };
}
