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
 * What follows from a change of an address that has been stored, in its transaction: the event, of which the notice to
 * the old address comes, and for how long that can be had back.
 * @param kind `undoable` keeps the old address for that; `final` is an administrator's change, who may just be taking the
 * account from a thief: no link undoes it, nor any that was mailed before; `undone` keeps the thief's address for nobody
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
    const { version } = after;
    await keepFormerEmail(tx, { userId: after.id, address: before.email, version, restorableUntil });
  }
  if (after.email !== null) await forgetFormerEmail(tx, after.id, after.email);
  const sequence = await takeMinorSequence(tx, after.id);
  if (sequence === null) return [];
  const data = { id: after.id, from: before.email, to: after.email };
  const event = { type: 'user.email_changed', subject: after.id, sequence, data, origin } as const;
  return [await appendEvent(tx, ctx, 'inline', event)];
}
