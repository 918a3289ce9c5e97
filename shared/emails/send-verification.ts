import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { atAddress, sendLinkMail } from './send-link-mail';

/**
 * Sends a verification email to the pending address, or else to the current one. Sends nothing if there is nothing to
 * verify: the user is gone, has no address, has verified it, or has another one by now, whose event sends its own email.
 * @param address the event's address, if the event contains one
 */
export async function sendVerification(
  event: UserEvent,
  tx: Tx,
  ctx: HandlerContext,
  address?: string | null,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user) return;
  const unproven = [user.pendingEmail, user.emailVerified ? null : user.email].filter((one) => one !== null);
  const asked = address === undefined ? unproven[0] : unproven.find((one) => one === address);
  if (asked === undefined) return;
  await sendLinkMail(tx, ctx, event.id, 'verify_email', atAddress(user, asked));
}
