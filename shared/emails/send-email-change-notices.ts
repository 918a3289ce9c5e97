import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { findFormerEmail } from '../email-addresses/former-email-store';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { asSeenAt, recipientOf, salutation, sendLinkMail } from './link-mail';
import { sendMail } from './send-mail';
import { emailChangedMail } from './templates';

/**
 * Tells the address in use that another one is to take its place, with a link that stops it. Also where it is not
 * proven: whoever reads its mail could take the account by a reset anyway, and most owners never prove theirs. Nothing
 * where the change was given up since, or has happened: then its own notice follows.
 */
export async function sendEmailChangeRequestNotice(
  event: UserEvent<'user.email_change_requested'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user?.email || user.pendingEmail === null) return;
  await sendLinkMail(tx, ctx, event.id, 'email_change_requested', { ...user, email: user.email });
}

/**
 * Tells the former address that it is none any more, with a link that takes it back, unless the change is final. The
 * mail does not name the new one: a former address may have been a stranger's.
 */
export async function sendEmailChangeNotice(
  event: UserEvent<'user.email_changed'>,
  tx: Tx,
  ctx: Context,
): Promise<void> {
  const { from } = event.data;
  const user = await findUser(tx, event.subject);
  if (!user || from === null) return;
  const recipient = asSeenAt(user, from);
  if ((await findFormerEmail(tx, user.id, from, ctx.now())) !== null) {
    await sendLinkMail(tx, ctx, event.id, 'email_changed', recipient);
    return;
  }
  const { appName } = ctx.config.mail;
  const content = emailChangedMail({ appName, name: salutation(recipient) });
  await sendMail(ctx, event.id, recipientOf(recipient), content);
}
