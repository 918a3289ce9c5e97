import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { recipientOf, salutation } from './link-mail';
import { sendMail } from './send-mail';
import { welcomeMail } from './templates';
import { markWelcomed, wasWelcomed } from './welcome-store';

/** Once, at the first verified address: before, it might be a stranger who is welcomed. */
export async function sendWelcome(
  event: UserEvent<'user.email_verified'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  // Changed again already: the mail goes to the new address, once that is verified.
  if (!user?.email || !user.emailVerified) return;
  if (await wasWelcomed(tx, user.id)) return;
  const name = salutation(user);
  const content = welcomeMail({ appName: ctx.config.mail.appName, name, username: user.username });
  await sendMail(ctx, event.id, recipientOf({ ...user, email: user.email }), content);
  // After the send: the row locks the user against deletion, and no lock should wait on a mail server.
  await markWelcomed(tx, user.id, ctx.now());
}
