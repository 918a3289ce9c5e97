import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { deleteVerifications } from '../email-addresses/email-token-store';
import { isReserved } from '../email-addresses/former-email-store';
import { recordAddressChange } from '../email-addresses/record-address-change';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent, type PendingEvent } from '../outbox/event-store';
import type { PublishingContext } from '../outbox/publisher';
import { limitMail } from '../rate-limits/limit-mail';
import type { Caller } from '../sessions/authenticate';
import { assertCanSignIn } from '../sign-in/assert-can-sign-in';
import { appendUpdate, changedFields } from '../users/append-update';
import { isSameAddress } from '../users/email-address';
import { sequenceOf, takeMinorSequence } from '../users/sequence';
import type { User, UserUpdate } from '../users/user';
import { findUserIdByEmail, updateUserRow } from '../users/user-store';
import { limitUpdate } from './limit-update';
import { lockUserToChange } from './lock-user';
import { isStillProven, passwordRequired } from './prove-owner';
import { changesEmail, reauthenticateForUpdate } from './reauthenticate-for-update';

/**
 * Updates a user and appends an event with the changes. If nothing changes, there is no event.
 *
 * To change their own address, users send their password, and have authenticated recently if they have a second factor or no
 * password. The new address waits in `pendingEmail` until the user opens
 * the link sent to it; the current address gets a notice with a link that cancels the change. An administrator's change
 * of another user's address takes effect at once, unverified unless they verify it. Addresses are compared
 * case-insensitively.
 * @param currentPassword required for your own address; for your own username, replaces a recent authentication
 * @throws DomainError `not_found`, `forbidden`, `version_mismatch`, `username_taken`, `email_taken`, `last_sign_in_method` or
 * `reauthentication_required`; without `users:write` `forbidden` for `emailVerified`; for your own user `invalid_request`
 * without the password, `invalid_credentials` or `rate_limited`
 */
export async function updateUser(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  update: AuthenticatedUpdate,
  versions: number[] | null,
  origin: Origin,
): Promise<User> {
  if (update.emailVerified && !caller.permissions.has('users:write')) {
    throw new DomainError('forbidden', {
      detail: 'Requires the permission users:write, to verify an address',
    });
  }
  if (id === caller.user.id) await limitUpdate(ctx, caller, update, origin.address);
  for (;;) {
    const user = await tryUpdate(ctx, caller, id, update, versions, origin);
    if (user) return user;
  }
}

type AuthenticatedUpdate = UserUpdate & { currentPassword?: string | undefined };

/** @returns null if the hash changed between check and lock: a login upgraded it, or there is a new password */
async function tryUpdate(
  ctx: PublishingContext,
  caller: Caller,
  id: string,
  { currentPassword, ...update }: AuthenticatedUpdate,
  versions: number[] | null,
  origin: Origin,
): Promise<User | null> {
  const isOwn = id === caller.user.id;
  const proof = await reauthenticateForUpdate(ctx, caller, id, update, currentPassword, origin);
  const done = await ctx.db.transaction().execute(async (tx) => {
    const before = await lockUserToChange(tx, ctx, caller, id, versions);
    if (isOwn && changesEmail(before, update)) {
      // The address changed after authentication, so the password was not checked for this change.
      if (!proof) throw passwordRequired();
      if (!(await isStillProven(tx, proof))) return null;
    }
    const wanted = applyUpdate(before, update, isOwn);
    const isVerified = wanted.emailVerified && !before.emailVerified;
    if (changedFields(before, wanted).length === 0 && !isVerified) return { user: before, events: [] };
    const user = await updateUserRow(tx, wanted, ctx.now());
    if (user.email === null && before.email !== null) await assertCanSignIn(tx, ctx, user.id);
    const kind = isOwn ? 'undoable' : 'final';
    const events = [
      ...(await appendUpdate(tx, ctx, before, user, origin)),
      ...(await recordAddressChange(tx, ctx, { before, after: user, kind }, origin)),
      ...(await requestAddressChange(tx, ctx, before, user, origin)),
    ];
    if (isVerified) events.push(...(await appendVerified(tx, ctx, user, events.length === 0, origin)));
    return { user, events };
  });
  if (done === null) return null;
  await ctx.publisher.publish(done.events);
  return done.user;
}

function applyUpdate(before: User, update: UserUpdate, isOwn: boolean): User {
  const after = { ...before, ...update };
  if (after.email === null && update.emailVerified) throw nothingToVerify();
  if (update.email === undefined || isSameAddress(update.email, before.email)) return after;
  if (!isOwn || update.email === null)
    return { ...after, emailVerified: update.emailVerified ?? false, pendingEmail: null };
  const isPending = isSameAddress(update.email, before.pendingEmail);
  return { ...after, email: before.email, pendingEmail: isPending ? before.pendingEmail : update.email };
}

function nothingToVerify(): DomainError {
  const errors = [{ path: 'emailVerified', message: 'there is no address to verify' }];
  return new DomainError('invalid_request', { errors });
}

/** @param isOnlyChange otherwise another event of this change has the version as its sequence */
async function appendVerified(
  tx: Tx,
  ctx: Context,
  { id, version }: User,
  isOnlyChange: boolean,
  origin: Origin,
): Promise<PendingEvent[]> {
  const sequence = isOnlyChange ? sequenceOf(version) : await takeMinorSequence(tx, id);
  if (sequence === null) return [];
  const event = { type: 'user.email_verified', subject: id, sequence, data: { id }, origin } as const;
  return [await appendEvent(tx, ctx, 'inline', event)];
}

/** @throws DomainError `email_taken`; verification checks again, because somebody may take the address meanwhile */
async function requestAddressChange(
  tx: Tx,
  ctx: Context,
  before: User,
  { id, pendingEmail }: User,
  origin: Origin,
): Promise<PendingEvent[]> {
  if (pendingEmail === null || pendingEmail === before.pendingEmail) return [];
  const holder = await findUserIdByEmail(tx, pendingEmail);
  if ((holder !== null && holder !== id) || (await isReserved(tx, pendingEmail, id, ctx.now()))) {
    throw new DomainError('email_taken');
  }
  await limitMail({ ...ctx, db: tx }, pendingEmail, id);
  await deleteVerifications(tx, id);
  const sequence = await takeMinorSequence(tx, id);
  if (sequence === null) return [];
  const event = { type: 'user.email_change_requested', subject: id, sequence, data: { id }, origin } as const;
  return [await appendEvent(tx, ctx, 'inline', event)];
}
