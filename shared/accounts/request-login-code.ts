import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { hashAddress } from '../mailed-codes/mailed-code';
import { insertCodeRequest } from '../mailed-codes/mailed-code-store';
import { consumeLimits } from '../rate-limits/limit-rate';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { addressKey } from '../users/email-address';
import { appendMailRequest } from './append-mail-request';

const CODE_SECONDS = 600;

/**
 * Requests a code to sign in with for the user with this address, if there is one. Neither the response nor its time reveals
 * whether there is, nor whether the mailbox has had too many mails. The consumer makes the code and mails it.
 * @returns the token without which the code is worth nothing: it binds the code to the browser or app that asked for it
 */
export async function requestLoginCode(
  ctx: Context,
  email: string,
  origin: Origin,
): Promise<{ emailToken: string; expiresIn: number }> {
  const emailToken = newOpaqueToken();
  const requestId = ctx.newId();
  // The same for every address. Without it, requests beyond the limit on mails would push out those that were mailed.
  const subject = `login-email ${addressKey(email)}`;
  const isWithinLimit = (await consumeLimits(ctx, [{ limit: 'mailAccount', subject }])) === null;
  const now = ctx.now();
  await appendMailRequest(ctx, {
    type: 'user.login_code_requested',
    email,
    isWithinLimit,
    data: (id) => ({ id, requestId }),
    store: (tx, userId) =>
      insertCodeRequest(
        tx,
        {
          id: requestId,
          tokenHash: hashToken(emailToken),
          userId,
          addressHash: hashAddress(ctx, email),
          expiresAt: isWithinLimit ? new Date(now.getTime() + CODE_SECONDS * 1000) : now,
        },
        now,
      ),
    origin,
  });
  return { emailToken, expiresIn: CODE_SECONDS };
}
