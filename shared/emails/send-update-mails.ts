import { foldCase } from '../characters';
import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { isSameAddress } from '../users/email-address';
import { sendUsernameNotice } from './send-account-notices';
import { sendVerification } from './send-verification';

/** Sends a verification email for a new or pending address, and a notice of a changed username. */
export async function sendUpdateMails(
  event: UserEvent<'user.updated'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { email, pendingEmail, username } = event.data.changes;
  const wanted = pendingEmail && textOrNull(pendingEmail.to);
  if (wanted) await sendVerification(event, tx, ctx, wanted);
  if (email && !isSameAddress(textOrNull(email.from), textOrNull(email.to))) {
    await sendVerification(event, tx, ctx, event.data.email);
  }
  if (username && foldCase(String(username.from)) !== foldCase(String(username.to))) {
    await sendUsernameNotice(event, tx, ctx);
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
