import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { notify } from '../rate-limits/limit-mail';
import { findUser } from '../users/user-store';
import { type EventMail, sendEventMail } from './send-event-mail';
import { recipientOf, salutation } from './send-link-mail';
import {
  factorAddedMail,
  factorRemovedMail,
  type MailContent,
  passkeyAddedMail,
  passkeyRemovedMail,
  passwordChangedMail,
  passwordRemovedMail,
  recoveryCodesCreatedMail,
  recoveryCodeUsedMail,
  restoredMail,
  roleChangedMail,
  suspendedMail,
  unprovenPasswordRemovedMail,
  usernameChangedMail,
} from './templates';

/** Notifies the user of a password change, no matter who made it. */
async function sendPasswordNotice(
  event: UserEvent<'user.password_changed'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  await sendNotice(
    { eventId: event.id, template: 'password_changed' },
    event.subject,
    tx,
    ctx,
    passwordChangedMail,
  );
}

async function sendPasswordRemovedNotice(
  event: UserEvent<'user.password_removed'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const mail = { eventId: event.id, template: 'password_removed' };
  const content = event.data.reason ? unprovenPasswordRemovedMail : passwordRemovedMail;
  await sendNotice(mail, event.subject, tx, ctx, content);
}

async function sendRoleNotice(
  event: UserEvent<'user.role_changed'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { from, to } = event.data;
  const mail = { eventId: event.id, template: 'role_changed' };
  await sendNotice(mail, event.subject, tx, ctx, (values) => roleChangedMail({ ...values, from, to }));
}

async function sendSuspendedNotice(
  event: UserEvent<'user.suspended'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { until } = event.data;
  const mail = { eventId: event.id, template: 'suspended' };
  await sendNotice(mail, event.subject, tx, ctx, (values) => suspendedMail({ ...values, until }));
}

async function sendRestoredNotice(
  event: UserEvent<'user.restored'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  await sendNotice({ eventId: event.id, template: 'restored' }, event.subject, tx, ctx, restoredMail);
}

type FactorEvent = UserEvent<
  | 'user.factor_added'
  | 'user.factor_removed'
  | 'user.passkey_added'
  | 'user.passkey_removed'
  | 'user.recovery_codes_created'
  | 'user.recovery_code_used'
>;

/** Notifies the user of each change of their second factors and passkeys, no matter who made it (ASVS 5.0, 6.3.7). */
async function sendFactorNotice(event: FactorEvent, tx: Tx, ctx: HandlerContext): Promise<void> {
  const template = event.type.replace('user.', '');
  await sendNotice({ eventId: event.id, template }, event.subject, tx, ctx, (values) => {
    switch (event.type) {
      case 'user.factor_added':
        return factorAddedMail(values);
      case 'user.factor_removed':
        return factorRemovedMail(values);
      case 'user.passkey_added':
        return passkeyAddedMail(values);
      case 'user.passkey_removed':
        return passkeyRemovedMail(values);
      case 'user.recovery_codes_created':
        return recoveryCodesCreatedMail(values);
      case 'user.recovery_code_used':
        return recoveryCodeUsedMail({ ...values, remaining: event.data.remaining });
    }
  });
}

/** The consumer's handlers of these events. */
export const ACCOUNT_NOTICES = {
  'user.password_changed': sendPasswordNotice,
  'user.password_removed': sendPasswordRemovedNotice,
  'user.role_changed': sendRoleNotice,
  'user.suspended': sendSuspendedNotice,
  'user.restored': sendRestoredNotice,
  'user.factor_added': sendFactorNotice,
  'user.factor_removed': sendFactorNotice,
  'user.passkey_added': sendFactorNotice,
  'user.passkey_removed': sendFactorNotice,
  'user.recovery_codes_created': sendFactorNotice,
  'user.recovery_code_used': sendFactorNotice,
};

/** The same event may also send a verification email, so this one has its own message id. */
export async function sendUsernameNotice(
  event: UserEvent<'user.updated'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const mail = { eventId: event.id, template: 'username_changed', messageId: `${event.id}.notice` };
  await sendNotice(mail, event.subject, tx, ctx, usernameChangedMail);
}

/** Sends to the current address, never to a pending one. To an unverified one only within the limit of mails. */
async function sendNotice(
  mail: EventMail,
  userId: string,
  tx: Tx,
  ctx: HandlerContext,
  content: (values: { appName: string; name: string }) => MailContent,
): Promise<void> {
  const user = await findUser(tx, userId);
  if (!user?.email) return;
  const addressed = { ...user, email: user.email };
  const { appName } = ctx.config.mail;
  const recipient = recipientOf(addressed);
  await notify({ ...ctx, db: tx }, addressed, () =>
    sendEventMail(tx, ctx, mail, recipient, content({ appName, name: salutation(user) })),
  );
}
