import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { sendEventMail } from './send-event-mail';
import { recipientOf, salutation } from './send-link-mail';
import { welcomeMail } from './templates';
import { markWelcomed, wasWelcomed } from './welcome-store';

/** Welcomes a user once, at their first verified address: an unverified one might be a stranger's. */
export async function sendWelcome(
  event: UserEvent<'user.email_verified'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  // The address has changed again: the email is sent when the new one is verified.
  if (!user?.email || !user.emailVerified) return;
  if (await wasWelcomed(tx, user.id)) return;
  const name = salutation(user);
  const content = welcomeMail({ appName: ctx.config.mail.appName, name, username: user.username });
  const mail = { eventId: event.id, template: 'welcome' };
  await sendEventMail(tx, ctx, mail, recipientOf({ ...user, email: user.email }), content);
  // After sending: the insert locks the user against deletion, and no lock should be held while waiting for SMTP.
  await markWelcomed(tx, user.id, ctx.now());
}
