import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { sendEventMail } from './send-event-mail';
import { newUserNotice } from './templates';

/** Notifies the addresses in ADMIN_NOTIFY_EMAIL of a new user. */
export async function sendNewUserNotice(
  event: UserEvent<'user.created'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { adminAddresses, appName } = ctx.config.mail;
  if (adminAddresses.length === 0) return;
  const user = await findUser(tx, event.subject);
  if (!user) return;
  // The same event also sends an email to the user, so this one has its own message id.
  const mail = {
    eventId: event.id,
    template: 'new_user',
    consumer: 'admin-notices',
    messageId: `${event.id}.notice`,
  } as const;
  await sendEventMail(tx, ctx, mail, adminAddresses, newUserNotice({ appName, user }));
}
