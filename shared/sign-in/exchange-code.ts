import { createHash } from 'node:crypto';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { endSessions } from '../sessions/end-sessions';
import { issueAccessToken } from '../sessions/open-session';
import { randomSeed } from '../sessions/refresh-token';
import {
  isUnusedToken,
  lockActiveSession,
  type RefreshableSession,
  rotateToken,
} from '../sessions/refresh-token-store';
import { sessionEnd } from '../sessions/session-end';
import { findSignInCodeOwner, type SignInCode, useSignInCode } from '../sessions/sign-in-code-store';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { findUser } from '../users/user-store';
import type { SignedIn } from './sign-in';

/** What an app sends. */
export interface CodeExchange {
  code: string;
  returnTo: string;
  codeVerifier: string | null;
}

/**
 * Gives an app the session that a hosted page has opened, with a new refresh token: the page's stops working. A code is used
 * up by its first use, right or wrong. A wrong use and a second one end the session, because somebody else has the code (RFC
 * 6749, section 4.1.2; RFC 9700, section 4.5).
 * @throws DomainError `invalid_token` if the code was used, has expired, belongs to another URL, or lacks its verifier
 */
export async function exchangeCode(ctx: Context, exchange: CodeExchange, origin: Origin): Promise<SignedIn> {
  const hash = hashToken(exchange.code);
  const owner = await findSignInCodeOwner(ctx.db, hash);
  if (!owner) throw new DomainError('invalid_token');
  ctx.log.bind({ userId: owner.userId });
  const now = ctx.now();
  const taken = await ctx.db.transaction().execute(async (tx) => {
    // The session before its code, as a deletion of the session locks them.
    const session = await lockActiveSession(tx, owner.sessionId, now);
    const code = session && (await useSignInCode(tx, hash, now));
    if (!code) return null;
    if (!matches(code, exchange)) return 'misused' as const;
    const refreshToken = await replaceToken(tx, ctx, session, code.tokenHash);
    const user = refreshToken === null ? null : await findUser(tx, owner.userId);
    return refreshToken === null || !user ? ('misused' as const) : { session, user, refreshToken };
  });
  if (taken === 'misused' || (taken === null && (await isUsed(ctx, hash)))) {
    await endMisused(ctx, owner, origin);
    throw new DomainError('invalid_token');
  }
  if (taken === null) throw new DomainError('invalid_token');
  const { session, user, refreshToken } = taken;
  const access = await issueAccessToken(ctx, session, user, session.rolePermissions);
  return { user, tokens: { ...access, refreshToken } };
}

function matches(code: SignInCode, { returnTo, codeVerifier }: CodeExchange): boolean {
  if (code.returnTo !== returnTo) return false;
  // A verifier where there was no challenge: somebody has taken the challenge out of the URL (RFC 9700, section 4.8.2).
  if (code.codeChallenge === null || codeVerifier === null) return code.codeChallenge === codeVerifier;
  return createHash('sha256').update(codeVerifier).digest('base64url') === code.codeChallenge;
}

/** Replaces the page's refresh token. @returns null if it was used meanwhile: then not the page alone has it */
async function replaceToken(
  tx: Tx,
  ctx: Context,
  session: RefreshableSession,
  usedHash: Buffer,
): Promise<string | null> {
  if (!(await isUnusedToken(tx, session.id, usedHash))) return null;
  const now = ctx.now();
  const refreshToken = newOpaqueToken();
  await rotateToken(tx, {
    sessionId: session.id,
    usedHash,
    nextHash: hashToken(refreshToken),
    // The new token does not follow from the page's, so nobody who has that one can compute it.
    seed: randomSeed(),
    // The browser stays the session's client, in the user's list too, if it is the app's server that exchanges the code.
    ...session.client,
    now,
    expiresAt: sessionEnd(ctx.config.tokens, session.openedAt, now),
  });
  return refreshToken;
}

async function isUsed(ctx: Context, hash: Buffer): Promise<boolean> {
  return (await findSignInCodeOwner(ctx.db, hash))?.isUsed ?? false;
}

/** In a transaction of its own, which locks the user before the session, as everything that ends sessions does. */
async function endMisused(
  ctx: Context,
  { userId, sessionId }: { userId: string; sessionId: string },
  origin: Origin,
): Promise<void> {
  const end = { userId, choice: { only: sessionId }, reason: 'reuse_detected' as const, origin };
  const ended = await ctx.db.transaction().execute((tx) => endSessions(tx, ctx, 'relay', end));
  if (ended.length === 0) return;
  ctx.log.warn('A sign-in code was used twice or wrongly: its session was ended', { userId, sessionId });
}
