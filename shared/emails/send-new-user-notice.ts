import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { sendMail } from './send-mail';
import { newUserNotice } from './templates';

/** Notifies the addresses in ADMIN_NOTIFY_EMAIL of a new user. */
export async function sendNewUserNotice(
  event: UserEvent<'user.created'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  const { adminAddresses, appName } = ctx.config.mail;
  if (adminAddresses.length === 0) return;
  const user = await findUser(tx, event.subject);
  if (!user) return;
  // The same event also sends an email to the user, so this one has its own message id.
  await sendMail(ctx, `${event.id}.notice`, adminAddresses, newUserNotice({ appName, user }));
}
