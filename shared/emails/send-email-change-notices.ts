import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import { findFormerEmail } from '../email-addresses/former-email-store';
import type { UserEvent } from '../events/catalog';
import { notify } from '../rate-limits/limit-mail';
import { findUser } from '../users/user-store';
import { sendEventMail } from './send-event-mail';
import { atAddress, recipientOf, salutation, sendLinkMail } from './send-link-mail';
import { emailChangedMail } from './templates';

/**
 * Notifies the current address of a requested change, with a link that cancels it. Also sent if the address is not
 * verified: whoever reads its mail could take over the account with a reset anyway, and many owners never verify. Not
 * sent if the change was cancelled or completed meanwhile; a completed change sends its own notice.
 */
export async function sendEmailChangeRequestNotice(
  event: UserEvent<'user.email_change_requested'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user?.email || user.pendingEmail === null) return;
  const addressed = { ...user, email: user.email };
  await notify({ ...ctx, db: tx }, addressed, () =>
    sendLinkMail(tx, ctx, event.id, 'email_change_requested', addressed),
  );
}

/**
 * Notifies the former address of the change, with a link that restores it unless the change is final. Does not name the
 * new address, because the former one may have been a stranger's.
 */
export async function sendEmailChangeNotice(
  event: UserEvent<'user.email_changed'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { from } = event.data;
  const user = await findUser(tx, event.subject);
  if (!user || from === null) return;
  const recipient = atAddress(user, from);
  if ((await findFormerEmail(tx, user.id, from, ctx.now())) !== null) {
    await sendLinkMail(tx, ctx, event.id, 'email_changed', recipient);
    return;
  }
  const { appName } = ctx.config.mail;
  const content = emailChangedMail({ appName, name: salutation(recipient) });
  const mail = { eventId: event.id, template: 'email_changed' };
  await sendEventMail(tx, ctx, mail, recipientOf(recipient), content);
}
