import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { recipientOf, salutation } from './send-link-mail';
import { sendMail } from './send-mail';
import { type MailContent, passwordChangedMail, roleChangedMail, usernameChangedMail } from './templates';

/** Notifies the user of a password change, no matter who made it. */
export async function sendPasswordNotice(
  event: UserEvent<'user.password_changed'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  await sendNotice(event, event.id, tx, ctx, passwordChangedMail);
}

export async function sendRoleNotice(
  event: UserEvent<'user.role_changed'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  const { from, to } = event.data;
  await sendNotice(event, event.id, tx, ctx, (values) => roleChangedMail({ ...values, from, to }));
}

/** The same event may also send a verification email, so this one has its own message id. */
export async function sendUsernameNotice(
  event: UserEvent<'user.updated'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  await sendNotice(event, `${event.id}.notice`, tx, ctx, usernameChangedMail);
}

/** Sends to the current address, never to a pending one. */
async function sendNotice(
  event: UserEvent,
  messageId: string,
  tx: Tx,
  ctx: Context,
  content: (values: { appName: string; name: string }) => MailContent,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user?.email) return;
  const { appName } = ctx.config.mail;
  const recipient = recipientOf({ ...user, email: user.email });
  await sendMail(ctx, messageId, recipient, content({ appName, name: salutation(user) }));
}
