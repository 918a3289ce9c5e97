import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { findUser } from '../users/user-store';
import { sendLinkMail } from './send-link-mail';

/** Also sends to an unverified address: nobody has a better claim to the account than whoever reads its mail. */
export async function sendPasswordReset(
  event: UserEvent<'user.password_reset_requested'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const user = await findUser(tx, event.subject);
  if (!user?.email) return;
  await sendLinkMail(tx, ctx, event.id, 'reset_password', { ...user, email: user.email });
}
