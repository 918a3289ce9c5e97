import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { asSeenAt, sendLinkMail } from './link-mail';

/**
 * Asks whoever reads an address to confirm that it is the user's: the one that they want, else the one in use. Not where
 * there is nothing to confirm: the user is gone, has no address, has confirmed it, or has by now another one, whose own
 * event brings a mail of its own.
 * @param address the one that the event is about, where it names one
 */
export async function sendVerification(
  event: UserEvent,
  tx: Tx,
  ctx: Context,
  address?: string | null,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user) return;
  const unproven = [user.pendingEmail, user.emailVerified ? null : user.email].filter((one) => one !== null);
  const asked = address === undefined ? unproven[0] : unproven.find((one) => one === address);
  if (asked === undefined) return;
  await sendLinkMail(tx, ctx, event.id, 'verify_email', asSeenAt(user, asked));
}
