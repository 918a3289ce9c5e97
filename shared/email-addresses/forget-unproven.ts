import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { deleteChallenges } from '../factors/challenge-store';
import { deleteFactors } from '../factors/factor-store';
import { replaceRecoveryCodes } from '../factors/recovery-code-store';
import { deleteCodeRequests } from '../mailed-codes/mailed-code-store';
import { appendEvent } from '../outbox/event-store';
import { deletePasskeys } from '../passkeys/passkey-store';
import { deletePassword } from '../passwords/password-store';
import { endSessions } from '../sessions/end-sessions';
import { hasSecondFactor } from '../sessions/session-user-store';
import { takeMinorSequence } from '../users/sequence';
import { deleteTokens } from './email-token-store';
import { forgetFormerEmailsSince } from './former-email-store';

/**
 * Removes every way into an account that was set up before its address was proven, with an event for each. Whoever
 * registers a stranger's address could otherwise wait until its owner uses the account, and then come back (Sudhodanan and
 * Paverd, "Pre-hijacked Accounts", USENIX Security 2022). The caller has locked the user and cancels a pending address.
 */
export async function forgetUnproven(tx: Tx, ctx: Context, userId: string, origin: Origin): Promise<void> {
  const about = { subject: userId, origin };
  const sequence = () => takeMinorSequence(tx, userId).then(assertLocked);
  if (await deletePassword(tx, userId)) {
    const data = { id: userId, reason: 'set_before_verification' } as const;
    const event = { ...about, type: 'user.password_removed', sequence: await sequence(), data } as const;
    await appendEvent(tx, ctx, 'relay', event);
  }
  await endSessions(tx, ctx, 'relay', { userId, choice: 'all', reason: 'revoked', origin });
  for (const { id: factorId, type: factorType } of await deleteFactors(tx, userId)) {
    const data = { id: userId, factorId, factorType };
    const event = { ...about, type: 'user.factor_removed', sequence: await sequence(), data } as const;
    await appendEvent(tx, ctx, 'relay', event);
  }
  await forgetPasskeys(tx, ctx, userId, origin);
  await replaceRecoveryCodes(tx, userId, []);
  await deleteChallenges(tx, userId);
  await deleteCodeRequests(tx, userId);
  await deleteTokens(tx, userId);
  await forgetFormerEmailsSince(tx, userId, 0);
}

/**
 * Removes the user's passkeys, each of which is a way in by itself, with an event for each. With the last second factor, also
 * the recovery codes. The caller has locked the user.
 */
export async function forgetPasskeys(tx: Tx, ctx: Context, userId: string, origin: Origin): Promise<void> {
  const removed = await deletePasskeys(tx, userId);
  for (const passkeyId of removed) {
    const sequence = assertLocked(await takeMinorSequence(tx, userId));
    const data = { id: userId, passkeyId };
    const event = { type: 'user.passkey_removed', subject: userId, sequence, data, origin } as const;
    await appendEvent(tx, ctx, 'relay', event);
  }
  if (removed.length > 0 && !(await hasSecondFactor(tx, userId))) await replaceRecoveryCodes(tx, userId, []);
}

function assertLocked(sequence: string | null): string {
  if (sequence === null) throw new Error('The user is not locked');
  return sequence;
}
