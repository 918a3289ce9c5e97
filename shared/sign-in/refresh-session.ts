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
  lockLivingSession,
  type RefreshableSession,
  rotateToken,
} from '../sessions/refresh-token-store';
import { revokeForReuse } from '../sessions/revoke-for-reuse';
import { hashToken } from '../tokens/opaque-token';

/**
 * For this long after its first use a token may come again, from the client that used it: from a second tab, or after
 * an answer that got lost.
 */
const GRACE_MS = 10_000;

/**
 * A new pair for a refresh token, which is used up by that (RFC 9700, section 4.14.2). A session has one unused token
 * at any time: a client that repeats a token within the grace gets that one, however often it has rotated since.
 * Whoever else brings a used token, at any time in the session's life, reveals that two hold it, and the session ends
 * for both. A thief with the address block and the user agent of the owner, who also refreshes within 10 s of them each
 * time, is the one that this cannot tell from them.
 * @throws DomainError `invalid_refresh_token`, `refresh_token_reused` after the grace or from another client, or
 * `rate_limited`
 */
export async function refreshSession(
  ctx: Context,
  refreshToken: string,
  origin: Origin,
): Promise<SessionTokens> {
  const owner = await findTokenOwner(ctx.db, hashToken(refreshToken));
  if (!owner) throw new DomainError('invalid_refresh_token');
  await limitRate(ctx, [{ limit: 'refreshAccount', subject: owner.userId }]);
  ctx.log.bind({ userId: owner.userId });

  const refreshed = await ctx.db.transaction().execute(async (tx) => {
    const session = await lockLivingSession(tx, owner.sessionId, ctx.now());
    if (!session) throw new DomainError('invalid_refresh_token');
    const current = await currentToken(tx, ctx, session, refreshToken, origin);
    return typeof current === 'string' ? { session, current } : current;
  });
  if ('withinGrace' in refreshed) {
    await revokeForReuse(ctx, owner.userId, owner.sessionId, origin, refreshed.withinGrace);
    throw new DomainError('refresh_token_reused', { detail: 'The session has been ended: log in again' });
  }
  const { session, current } = refreshed;
  const access = await issueAccessToken(ctx, session, session.user, session.rolePermissions);
  return { ...access, refreshToken: current };
}

/** A used token that came back, and not as the grace allows. */
interface Reuse {
  withinGrace: boolean;
}

/** The token to go on with: a new one for one that was not used yet, the session's present one in the grace. */
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
  // A stolen token that is refreshed in step with its owner would otherwise go on for as long as the session.
  if (presented !== null && !isSameClient(session.client, origin)) return { withinGrace: true };

  // One seed for all rotations that are within the grace of one another, and none that leads on from older tokens.
  const seed = session.rotation && session.rotation.at >= graceStart ? session.rotation.seed : randomSeed();
  if (presented === null) {
    const next = successorOf(token, seed);
    const { address, userAgent } = origin;
    const nextHash = hashToken(next);
    await rotateToken(tx, { sessionId: session.id, usedHash: hash, nextHash, seed, address, userAgent, now });
    return next;
  }
  let latest = token;
  while (useOf(latest)) latest = successorOf(latest, seed);
  if (useOf(latest) === undefined) throw new DomainError('invalid_refresh_token');
  return latest;
}

/** Within its /64 an IPv6 client changes its address as it likes. */
function isSameClient(one: RefreshableSession['client'], other: RefreshableSession['client']): boolean {
  return addressBlock(one.address) === addressBlock(other.address) && one.userAgent === other.userAgent;
}
