import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { assertAcceptable } from '../passwords/acceptable';
import { changeLockedPassword } from '../passwords/change-locked-password';
import { REPEATS_NAME, repeatsName } from '../passwords/fields';
import { hashPassword } from '../passwords/hash';
import { limitRate } from '../rate-limits/limit-rate';
import { endSessions } from '../sessions/end-sessions';
import { hashToken } from '../tokens/opaque-token';
import { appendUpdate } from '../users/append-update';
import { isSameAddress } from '../users/email-address';
import { takeMinorSequence } from '../users/sequence';
import type { User } from '../users/user';
import { deleteTokensAfterUndo, findTokenOwner, lockTokenOwner } from './email-token-store';
import { forgetPasskeys } from './forget-unproven';
import { findFormerEmail, forgetFormerEmailsSince } from './former-email-store';
import { recordAddressChange } from './record-address-change';

/**
 * Cancels or undoes an address change with the token that was sent to the previous address. Whoever requested the change
 * knew the password, so this sets a new one and ends all sessions. Links that were sent since become invalid; links sent
 * to still earlier addresses stay valid, so that an attacker who changes the address twice cannot use the link of the
 * second change against the owner's link. Passkeys that were added while the address was unverified are removed: they may be
 * those of somebody who registered a stranger's address.
 * @throws DomainError `invalid_token` for a token that is invalid, used, expired or of a cancelled change; `email_taken`
 * if an administrator gave the address to another user; `invalid_request` if the password repeats a name (the token stays
 * valid)
 */
export async function undoEmailChange(
  ctx: PublishingContext,
  token: string,
  password: string,
  requestOrigin: Origin,
): Promise<User> {
  const hash = hashToken(token);
  const found = await findTokenOwner(ctx.db, 'undo_email_change', hash, ctx.now());
  if (!found) throw new DomainError('invalid_token');
  const { id, username } = found.user;
  await limitRate(ctx, [{ limit: 'mailAccount', subject: `undo-email-change ${id}` }]);
  const { contextWords } = ctx.config.passwords;
  if (repeatsName(password, { username, email: found.address, contextWords })) {
    throw new DomainError('invalid_request', { errors: [{ path: 'password', message: REPEATS_NAME }] });
  }
  await assertAcceptable(ctx, 'password', password);
  // Before the transaction, so that no lock is held while hashing.
  const hashed = await hashPassword(password, ctx.config.passwords);

  // The token identifies the actor: whoever can read the email acts as the user.
  const origin = { ...requestOrigin, actorId: id };
  const { user, events } = await ctx.db.transaction().execute(async (tx) => {
    const owner = await lockTokenOwner(tx, 'undo_email_change', hash, ctx.now());
    if (!owner) throw new DomainError('invalid_token');
    const { user: before, address } = owner;
    const isInUse = isSameAddress(before.email, address);
    let wasVerified = before.emailVerified;
    if (isInUse) {
      if (before.pendingEmail === null) throw new DomainError('invalid_token');
    } else {
      const former = await findFormerEmail(tx, id, address, ctx.now());
      if (former === null) throw new DomainError('invalid_token');
      wasVerified = former.verified;
      await forgetFormerEmailsSince(tx, id, former.version);
    }
    // A concurrent use waits for this one and then finds the token deleted.
    if (!(await deleteTokensAfterUndo(tx, id, hash))) throw new DomainError('invalid_token');
    const restored = { ...before, email: isInUse ? before.email : address, emailVerified: true };
    const user = await changeLockedPassword(tx, restored, hashed, ctx.now());
    const events: PendingEvent[] = await appendUpdate(tx, ctx, before, user, origin);
    for (const type of ['user.password_changed', 'user.email_verified'] as const) {
      const sequence = await takeMinorSequence(tx, id);
      if (sequence === null || (type === 'user.email_verified' && before.emailVerified)) continue;
      const event = { type, subject: id, sequence, data: { id }, origin };
      events.push(await appendEvent(tx, ctx, 'inline', event));
    }
    events.push(...(await recordAddressChange(tx, ctx, { before, after: user, kind: 'undone' }, origin)));
    const end = { userId: id, choice: 'all', reason: 'password_changed', origin } as const;
    events.push(...(await endSessions(tx, ctx, 'relay', end)));
    if (!wasVerified) await forgetPasskeys(tx, ctx, id, origin);
    return { user, events };
  });
  await ctx.publisher.publish(events);
  return user;
}
