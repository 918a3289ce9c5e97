import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { FactorCode } from '../factors/fields';
import { proveFactor } from '../factors/prove-factor';
import { appendEvent } from '../outbox/event-store';
import type { AuthenticationResponse } from '../passkeys/fields';
import { PASSKEY_METHODS, provePasskey } from '../passkeys/prove-passkey';
import { findPassword } from '../passwords/password-store';
import { provePassword } from '../passwords/prove-password';
import { limitRate } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import { type AccessToken, issueAccessToken } from '../sessions/open-session';
import { isMultiFactor } from '../sessions/proof';
import { markProven, type ProvenSession } from '../sessions/session-store';
import { takeMinorSequence } from '../users/sequence';

/** What a caller sends: a password, a code or both, or an assertion of a passkey. */
export interface StepUp {
  password: string | null;
  factor: FactorCode | null;
  assertion: AuthenticationResponse | null;
}

/**
 * Checks again who the caller is and issues an access token with a new `auth_time`. Earlier tokens of the session keep
 * theirs, so a stolen one gains nothing. Users with a second factor send a code of it. With the password they prove both
 * factors; without it, the session must have proven both before (NIST SP 800-63B, section 4.2.3). A passkey of the caller's
 * proves both.
 * @throws DomainError `invalid_credentials`, `second_factor_required` without a code, `invalid_code`, `invalid_assertion`,
 * `rate_limited`, `invalid_request` without the password where it is needed, or `unauthorized` if the session has ended meanwhile
 */
export async function stepUp(
  ctx: Context,
  caller: Caller,
  sent: StepUp,
  origin: Origin,
): Promise<AccessToken> {
  const { proof, use } = await prove(ctx, caller, sent, origin);
  const { user, sessionId } = caller;
  await ctx.db.transaction().execute(async (tx) => {
    const sequence = await takeMinorSequence(tx, user.id);
    if (sequence === null || !(await markProven(tx, sessionId, proof))) throw sessionEnded();
    await use(tx);
    await appendEvent(tx, ctx, 'relay', {
      type: 'session.elevated',
      subject: user.id,
      sequence,
      data: { userId: user.id, sessionId, amr: [...proof.amr] },
      origin,
    });
  });
  const session = { id: sessionId, provenAt: proof.at, amr: proof.amr };
  return issueAccessToken(ctx, session, user, [...caller.permissions]);
}

interface Proven {
  proof: ProvenSession;
  /** Uses up what was sent, in the transaction that renews the proof. */
  use(tx: Tx): Promise<void>;
}

async function prove(
  ctx: Context,
  caller: Caller,
  { password, factor, assertion }: StepUp,
  origin: Origin,
): Promise<Proven> {
  const { id: userId } = caller.user;
  if (assertion) {
    // Each attempt costs a signature, and a wrong one is an entry of the audit log.
    await limitRate(ctx, [{ limit: 'updateAccount', subject: `passkeys of ${userId}` }]);
    const { use } = await provePasskey(ctx, assertion, userId, origin);
    return { proof: { at: ctx.now(), amr: PASSKEY_METHODS }, use };
  }
  const isPasswordNeeded = !caller.hasFactor || !isMultiFactor(caller.amr);
  if (password === null && isPasswordNeeded) throw passwordRequired();
  const known = password === null ? null : await provePassword(ctx, userId, password, origin);
  if (!caller.hasFactor) return { proof: { at: ctx.now(), amr: ['pwd'] }, use: async () => {} };
  if (!factor)
    throw new DomainError('second_factor_required', {
      detail: 'Send a code too, or an assertion of a passkey',
    });
  const { hash } = known ?? (await findPassword(ctx.db, userId)) ?? { hash: null };
  const place = { sessionOf: userId };
  const use = await proveFactor(
    ctx,
    { userId, passwordHash: hash, place, isKnownPlace: true },
    factor,
    origin,
  );
  return { proof: { at: ctx.now(), amr: known ? ['pwd', 'otp', 'mfa'] : caller.amr }, use };
}

function passwordRequired(): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'password', message: 'is required' }] });
}

function sessionEnded(): DomainError {
  return new DomainError('unauthorized', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
