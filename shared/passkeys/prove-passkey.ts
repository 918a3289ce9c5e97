import { appendAuditEntry } from '../audit/audit-store';
import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { AuthenticationMethod } from '../sessions/proof';
import { CeremonyError } from './ceremony-error';
import { takeChallenge } from './challenge';
import { userHandleOf } from './creation-options';
import type { AuthenticationResponse } from './fields';
import { findPasskey, noteUse, type StoredPasskey } from './passkey-store';
import { UNKNOWN, type VerifiedAssertion, verifyAssertion } from './verify-assertion';

/** Possession of the key, and the user verification that unlocked it: two factors. */
export const PASSKEY_METHODS = ['pop', 'user', 'mfa'] as const satisfies AuthenticationMethod[];

/** Proof that a user has one of their passkeys. */
export interface PasskeyProof {
  userId: string;
  /** Notes the use, in the transaction of what it is for. @throws DomainError if the passkey was removed meanwhile */
  use(tx: Tx): Promise<void>;
}

/**
 * Verifies an assertion and takes its challenge: of concurrent uses of an assertion, one succeeds. Failures go to the audit
 * log. The caller limits attempts, per address or per user.
 * @param ownerId whose passkey it must be; null if the passkey says who the user is
 * @throws DomainError `invalid_assertion`
 */
export async function provePasskey(
  ctx: Context,
  assertion: AuthenticationResponse,
  ownerId: string | null,
  origin: Origin,
): Promise<PasskeyProof> {
  const passkey = await findPasskey(ctx.db, Buffer.from(assertion.id, 'base64url'));
  try {
    if (!passkey || !isOwn(passkey, assertion, ownerId)) throw new CeremonyError(UNKNOWN);
    const verified = verifyAssertion(assertion, passkey, ctx.config.passkeys);
    if (!(await takeChallenge(ctx, verified.challenge, null))) {
      throw new CeremonyError('The challenge was used, has expired or is not of these options');
    }
    return { userId: passkey.userId, use: (tx) => use(tx, ctx, passkey, verified, origin) };
  } catch (error) {
    if (!(error instanceof CeremonyError)) throw error;
    const reason = passkey ? 'wrong_assertion' : 'unknown_passkey';
    const name = `passkey ${assertion.id}`;
    const userId = passkey?.userId ?? null;
    await recordFailedSignIn(ctx, { name, userId, method: 'passkey', reason }, origin);
    throw new DomainError('invalid_assertion', { detail: error.message });
  }
}

/** Section 7.2, step 6: whoever is not known yet must be whom the authenticator names. */
function isOwn(
  { userId }: StoredPasskey,
  { response: { userHandle } }: AuthenticationResponse,
  ownerId: string | null,
): boolean {
  const isNamed = userHandle === userHandleOf(userId);
  return ownerId === null ? isNamed : ownerId === userId && (isNamed || userHandle == null);
}

async function use(
  tx: Tx,
  ctx: Context,
  { id, userId }: StoredPasskey,
  { signCount, backedUp }: VerifiedAssertion,
  origin: Origin,
): Promise<void> {
  const now = ctx.now();
  const noted = await noteUse(tx, id, { signCount, backedUp, now });
  if (!noted) throw new DomainError('invalid_assertion', { detail: UNKNOWN });
  if (!noted.isSuspected) return;
  // Not fatal: some authenticators count wrongly, and the signature is right.
  ctx.log.warn('The signature counter of a passkey did not rise: there may be a copy of it', {
    userId,
    credential: id,
  });
  await appendAuditEntry(tx, {
    id: ctx.newId(),
    type: 'passkey.clone_suspected',
    subject: userId,
    time: now,
    origin: { ...origin, actorId: userId },
    details: { passkeyId: id, signCount },
  });
}
