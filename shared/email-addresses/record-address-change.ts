import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { isSameAddress } from '../users/email-address';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';
import { deleteTokens } from './email-token-store';
import { forgetFormerEmail, forgetFormerEmailsSince, keepFormerEmail } from './former-email-store';

/**
 * Records a stored address change, in its transaction: appends the event that triggers the notice to the old address, and
 * stores or deletes former addresses.
 * @param kind `undoable` keeps the old address so that it can be restored; `final` is an administrator's change, which may
 * take the account back from an attacker: no link undoes it, and earlier links stop working; `undone` does not keep the
 * attacker's address
 */
export async function recordAddressChange(
  tx: Tx,
  ctx: Context,
  { before, after, kind }: { before: User; after: User; kind: 'undoable' | 'final' | 'undone' },
  origin: Origin,
): Promise<PendingEvent[]> {
  if (isSameAddress(before.email, after.email)) return [];
  if (kind === 'final') {
    await forgetFormerEmailsSince(tx, after.id, 0);
    await deleteTokens(tx, after.id);
  } else if (kind === 'undoable' && before.email !== null) {
    const restorableUntil = new Date(ctx.now().getTime() + ctx.config.mail.undoSeconds * 1000);
    await keepFormerEmail(tx, {
      userId: after.id,
      address: before.email,
      version: after.version,
      restorableUntil,
      verified: before.emailVerified,
    });
  }
  if (after.email !== null) await forgetFormerEmail(tx, after.id, after.email);
  const sequence = await takeMinorSequence(tx, after.id);
  if (sequence === null) return [];
  const data = { id: after.id, from: before.email, to: after.email };
  const event = { type: 'user.email_changed', subject: after.id, sequence, data, origin } as const;
  return [await appendEvent(tx, ctx, 'inline', event)];
}
