import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import { appendUpdate } from '../users/append-update';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';
import { updateUserRow } from '../users/user-store';
import { isReserved } from './former-email-store';
import { recordAddressChange } from './record-address-change';

/**
 * Makes the verified pending address the user's address. The caller holds a lock on the user.
 * @throws DomainError `email_taken` if another user has it by now
 */
export async function confirmEmailChange(
  tx: Tx,
  ctx: Context,
  before: User,
  address: string,
  origin: Origin,
): Promise<{ user: User; events: PendingEvent[] }> {
  if (await isReserved(tx, address, before.id, ctx.now())) throw new DomainError('email_taken');
  const changed = { ...before, email: address, emailVerified: true, pendingEmail: null };
  const user = await updateUserRow(tx, changed, ctx.now());
  const events = [
    ...(await appendUpdate(tx, ctx, before, user, origin)),
    ...(await recordAddressChange(tx, ctx, { before, after: user, kind: 'undoable' }, origin)),
  ];
  const sequence = await takeMinorSequence(tx, user.id);
  if (sequence === null) return { user, events };
  const about = { subject: user.id, data: { id: user.id }, origin };
  const event = { ...about, type: 'user.email_verified', sequence } as const;
  return { user, events: [...events, await appendEvent(tx, ctx, 'inline', event)] };
}
