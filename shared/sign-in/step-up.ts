import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { FactorCode } from '../factors/fields';
import { proveFactor } from '../factors/prove-factor';
import type { MailedCode } from '../mailed-codes/fields';
import { proveMailedCode } from '../mailed-codes/prove-mailed-code';
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
import type { User } from '../users/user';
import { lockUserRow } from '../users/user-store';

/** What a caller sends: a first factor, a code of a second one or both, or an assertion of a passkey. */
export interface StepUp {
  first: { password: string } | MailedCode | null;
  factor: FactorCode | null;
  assertion: AuthenticationResponse | null;
}

/**
 * Checks again who the caller is and issues an access token with a new `auth_time`. Earlier tokens of the session keep
 * theirs, so a stolen one gains nothing. Users with a second factor send a code of it. With a first factor they prove both;
 * without it, the session must have proven both before (NIST SP 800-63B, section 4.2.3). A passkey of the caller's proves both.
 * @throws DomainError `invalid_credentials`, `second_factor_required` without a code, `invalid_code`, `invalid_token`,
 * `invalid_assertion`, `rate_limited`, `invalid_request` without the first factor where it is needed, or `unauthorized` if the
 * session has ended meanwhile
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
    if (!(await lockUserRow(tx, user.id)) || !(await markProven(tx, sessionId, proof))) throw sessionEnded();
    await use(tx);
    // Higher than the sequences of what `use` appends: in the log, those of a user rise.
    const sequence = await takeMinorSequence(tx, user.id);
    if (sequence === null) throw sessionEnded();
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
  { first: sent, factor, assertion }: StepUp,
  origin: Origin,
): Promise<Proven> {
  const { id: userId } = caller.user;
  if (assertion) {
    // Each attempt costs a signature, and a wrong one is an entry of the audit log.
    await limitRate(ctx, [{ limit: 'updateAccount', subject: `passkeys of ${userId}` }]);
    const { use } = await provePasskey(ctx, assertion, userId, origin);
    return { proof: { at: ctx.now(), amr: PASSKEY_METHODS }, use };
  }
  const isFirstNeeded = !caller.hasFactor || !isMultiFactor(caller.amr);
  if (sent === null && isFirstNeeded) throw passwordRequired();
  const first = sent && (await proveFirst(ctx, caller.user, sent, origin));
  if (first && !caller.hasFactor) return first;
  if (!factor)
    throw new DomainError('second_factor_required', {
      detail: 'Send a code too, or an assertion of a passkey',
    });
  const { hash } = first ?? (await findPassword(ctx.db, userId)) ?? { hash: null };
  const proving = { userId, passwordHash: hash, place: { sessionOf: userId }, isKnownPlace: true };
  const use = await proveFactor(ctx, proving, factor, origin);
  return {
    proof: { at: ctx.now(), amr: first ? [...new Set([...first.proof.amr, 'otp', 'mfa'])] : caller.amr },
    use: async (tx) => {
      await first?.use(tx);
      await use(tx);
    },
  };
}

/** @returns also the hash of the user's password, null without one */
async function proveFirst(
  ctx: Context,
  user: User,
  sent: { password: string } | MailedCode,
  origin: Origin,
): Promise<Proven & { hash: string | null }> {
  if ('password' in sent) {
    const { hash, ...proof } = await provePassword(ctx, user.id, sent.password, origin);
    return { proof, hash, use: async () => {} };
  }
  const find = async () => ({ user, isKnownPlace: true });
  const { use } = await proveMailedCode(ctx, sent, { place: { sessionOf: user.id }, find }, origin);
  const hash = (await findPassword(ctx.db, user.id))?.hash ?? null;
  return { proof: { at: ctx.now(), amr: ['otp'] }, hash, use };
}

function passwordRequired(): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'password', message: 'is required' }] });
}

function sessionEnded(): DomainError {
  return new DomainError('unauthorized', {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
