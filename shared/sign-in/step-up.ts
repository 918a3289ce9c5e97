import { recordProof } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { provePassword } from '../passwords/prove-password';
import type { Caller } from '../sessions/authenticate';
import { type AccessToken, issueAccessToken } from '../sessions/open-session';
import { markProven } from '../sessions/session-store';

/**
 * Checks the caller's password again and issues an access token with a new `auth_time`. Earlier tokens of the session
 * keep theirs, so a stolen one gains nothing.
 * @throws DomainError `invalid_credentials`, `rate_limited`, or `unauthorized` if the session has ended meanwhile
 */
export async function stepUp(
  ctx: Context,
  caller: Caller,
  password: string,
  origin: Origin,
): Promise<AccessToken> {
  const proof = await provePassword(ctx, caller.user.id, password, origin);
  if (!(await markProven(ctx.db, caller.sessionId, proof))) {
    throw new DomainError('unauthorized', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
  await recordProof(ctx, { userId: caller.user.id, sessionId: caller.sessionId }, origin);
  const session = { id: caller.sessionId, provenAt: proof.at, amr: proof.amr };
  return issueAccessToken(ctx, session, caller.user, [...caller.permissions]);
}
