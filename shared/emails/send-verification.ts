import type { Context } from '../context';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { sendLinkMail } from './link-mail';

/**
 * Asks whoever reads the user's mail to confirm the address. Not where there is nothing to confirm: the user is
 * gone, has no address, has confirmed it, or has by now another one, whose own event brings a mail of its own.
 * @param address the one that the event is about, where it names one
 */
export async function sendVerification(
  event: UserEvent,
  tx: Tx,
  ctx: Context,
  address?: string | null,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user?.email || user.emailVerified) return;
  const { email } = user;
  if (address !== undefined && address !== email) return;
  await sendLinkMail(tx, ctx, event.id, 'verify_email', { ...user, email });
}
