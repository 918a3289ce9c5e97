import { recordProof } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { FactorCode } from '../factors/fields';
import { proveFactor } from '../factors/prove-factor';
import { type PasswordProof, provePassword } from '../passwords/prove-password';
import type { Caller } from '../sessions/authenticate';
import { type AccessToken, issueAccessToken } from '../sessions/open-session';
import { markProven } from '../sessions/session-store';

/**
 * Checks the caller's password again, and a code if they have a second factor, and issues an access token with a new
 * `auth_time`. Earlier tokens of the session keep theirs, so a stolen one gains nothing.
 * @throws DomainError `invalid_credentials`, `second_factor_required` without a code, `invalid_code`, `rate_limited`, or
 * `unauthorized` if the session has ended meanwhile
 */
export async function stepUp(
  ctx: Context,
  caller: Caller,
  { password, factor }: { password: string; factor: FactorCode | null },
  origin: Origin,
): Promise<AccessToken> {
  const { user, sessionId } = caller;
  const known = await provePassword(ctx, user.id, password, origin);
  const use = caller.hasFactor ? await proveOwnFactor(ctx, known, factor, origin) : null;
  const proof = { at: known.at, amr: use ? (['pwd', 'otp', 'mfa'] as const) : known.amr };
  const isOpen = use
    ? await ctx.db.transaction().execute(async (tx) => {
        await use(tx);
        return markProven(tx, sessionId, proof);
      })
    : await markProven(ctx.db, sessionId, proof);
  if (!isOpen) {
    throw new DomainError('unauthorized', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    });
  }
  await recordProof(ctx, { userId: user.id, sessionId, amr: proof.amr }, origin);
  const session = { id: sessionId, provenAt: proof.at, amr: proof.amr };
  return issueAccessToken(ctx, session, user, [...caller.permissions]);
}

function proveOwnFactor(
  ctx: Context,
  { userId, hash }: PasswordProof,
  factor: FactorCode | null,
  origin: Origin,
): Promise<(tx: Tx) => Promise<void>> {
  if (!factor) throw new DomainError('second_factor_required', { detail: 'Send a code too' });
  const place = { sessionOf: userId };
  return proveFactor(ctx, { userId, passwordHash: hash, place, isKnownPlace: true }, factor, origin);
}
