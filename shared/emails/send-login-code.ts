import type { HandlerContext } from '../consumers/consumer';
import type { Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import { codeOf, hashAddress } from '../mailed-codes/mailed-code';
import { findUnmailed, markMailed } from '../mailed-codes/mailed-code-store';
import { findEventAddress } from '../outbox/event-store';
import { findUser } from '../users/user-store';
import { sendEventMail } from './send-event-mail';
import { recipientOf, salutation } from './send-link-mail';
import { loginCodeMail } from './templates';

/**
 * Mails the code of a request, also to an unverified address: whoever reads its mail has the best claim to the account. Sends
 * nothing if the code was mailed or used, has expired, or the user has another address by now. A delivery that is repeated
 * because its commit failed mails the same code again.
 */
export async function sendLoginCode(
  event: UserEvent<'user.login_code_requested'>,
  tx: Tx,
  ctx: HandlerContext,
): Promise<void> {
  const { requestId } = event.data;
  const now = ctx.now();
  const request = await findUnmailed(tx, requestId, now);
  const user = request?.userId === event.subject ? await findUser(tx, event.subject) : null;
  if (!request || !user?.email || !hashAddress(ctx, user.email).equals(request.addressHash)) return;
  const content = loginCodeMail({
    appName: ctx.config.mail.appName,
    name: salutation(user),
    code: codeOf(ctx, request.tokenHash),
    seconds: Math.floor((request.expiresAt.getTime() - now.getTime()) / 1000),
    requestedAt: event.time,
    requestedFrom: await findEventAddress(tx, event.id),
  });
  const mail = { eventId: event.id, template: 'login_code' };
  await sendEventMail(tx, ctx, mail, recipientOf({ ...user, email: user.email }), content);
  // After sending: no lock should be held while waiting for SMTP.
  await markMailed(tx, requestId, now);
}
