import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { addressBlock } from '../rate-limits/address-block';
import { limitRate } from '../rate-limits/limit-rate';
import { issueAccessToken, type SessionTokens } from '../sessions/open-session';
import { randomSeed, successorOf } from '../sessions/refresh-token';
import {
  findTokenOwner,
  findTokens,
  lockActiveSession,
  type RefreshableSession,
  rotateToken,
} from '../sessions/refresh-token-store';
import { revokeForReuse } from '../sessions/revoke-for-reuse';
import { sessionEnd } from '../sessions/session-end';
import { hashToken } from '../tokens/opaque-token';

/**
 * Grace period after a token's first use in which the same client may send it again: a second tab, or a retry after a
 * lost response.
 */
const GRACE_MS = 10_000;

/**
 * Rotates a refresh token: exchanges it for a new pair (RFC 9700, section 4.14.2). A session has exactly one unused
 * refresh token; a client that repeats a used one within the grace period gets that token, however many rotations lie
 * between. Any other reuse means that two parties hold the token, and ends the session for both. Not detected: a thief
 * with the owner's address block and user agent who always refreshes within 10 s of the owner.
 * @throws DomainError `invalid_refresh_token`, `refresh_token_reused` after the grace period or from another client, or
 * `rate_limited`
 */
export async function refreshSession(
  ctx: Context,
  refreshToken: string,
  origin: Origin,
): Promise<SessionTokens> {
  const owner = await findTokenOwner(ctx.db, hashToken(refreshToken));
  if (!owner) throw new DomainError('invalid_refresh_token');
  await limitRate(ctx, [{ limit: 'refreshAccount', subject: owner.sessionId }]);
  ctx.log.bind({ userId: owner.userId });

  const refreshed = await ctx.db.transaction().execute(async (tx) => {
    const session = await lockActiveSession(tx, owner.sessionId, ctx.now());
    if (!session) throw new DomainError('invalid_refresh_token');
    const current = await currentToken(tx, ctx, session, refreshToken, origin);
    return typeof current === 'string' ? { session, current } : current;
  });
  if ('withinGrace' in refreshed) {
    await revokeForReuse(ctx, owner.userId, owner.sessionId, origin, refreshed.withinGrace);
    throw new DomainError('refresh_token_reused', { detail: 'The session was ended. Log in again' });
  }
  const { session, current } = refreshed;
  const access = await issueAccessToken(ctx, session, session.user, session.rolePermissions);
  return { ...access, refreshToken: current };
}

/** A reuse that the grace period does not allow. */
interface Reuse {
  withinGrace: boolean;
}

/** The session's unused token: a new one if the given token was unused, the existing one within the grace period. */
async function currentToken(
  tx: Tx,
  ctx: Context,
  session: RefreshableSession,
  token: string,
  origin: Origin,
): Promise<string | Reuse> {
  const now = ctx.now();
  const graceStart = new Date(now.getTime() - GRACE_MS);
  const hash = hashToken(token);
  const tokens = await findTokens(tx, session.id, hash, graceStart);
  const usedAt = new Map(tokens.map((known) => [known.hash.toString('hex'), known.usedAt]));
  const useOf = (candidate: string) => usedAt.get(hashToken(candidate).toString('hex'));

  const presented = useOf(token);
  if (presented === undefined) throw new DomainError('invalid_refresh_token');
  if (presented !== null && presented < graceStart) return { withinGrace: false };
  // Otherwise a thief who refreshes in step with the owner could go on as long as the session lasts.
  if (presented !== null && !isSameClient(session.client, origin)) return { withinGrace: true };

  // Rotations within one grace period share a seed. Older tokens have another one, so no successor follows from them.
  const seed = session.rotation && session.rotation.at >= graceStart ? session.rotation.seed : randomSeed();
  if (presented === null) {
    const next = successorOf(token, seed);
    const { address, userAgent } = origin;
    const nextHash = hashToken(next);
    const expiresAt = sessionEnd(ctx.config.tokens, session.openedAt, now);
    const rotation = { sessionId: session.id, usedHash: hash, nextHash, seed, address, userAgent, now };
    await rotateToken(tx, { ...rotation, expiresAt });
    return next;
  }
  let latest = token;
  while (useOf(latest)) latest = successorOf(latest, seed);
  if (useOf(latest) === undefined) throw new DomainError('invalid_refresh_token');
  return latest;
}

/** Compares address blocks, because IPv6 clients change their address within their /64. */
function isSameClient(one: RefreshableSession['client'], other: RefreshableSession['client']): boolean {
  return addressBlock(one.address) === addressBlock(other.address) && one.userAgent === other.userAgent;
}
