import type { Context } from '../context/context';
import { addressKey } from '../users/email-address';
import { consumeLimits, isUsedUp, limitRate, type Use } from './limit-rate';

/**
 * Counts an email by recipient and by the user who causes it, for all routes together: separate limits per route would
 * add up to a flood for one mailbox.
 * @param by the user who causes it; null if it is the recipient
 * @throws DomainError `rate_limited`
 */
export function limitMail(ctx: Context, to: string, by: string | null): Promise<void> {
  return limitRate(
    ctx,
    by === null ? [mailTo(to)] : [mailTo(to), { limit: 'mailAccount', subject: `by ${by}` }],
  );
}

/** Like `limitMail`, for responses that must not reveal the limit. @returns whether the email may be sent */
export async function mayMail(ctx: Context, to: string): Promise<boolean> {
  return (await consumeLimits(ctx, [mailTo(to)])) === null;
}

/**
 * Sends a notice of a change, if it may be sent. An address that nobody has proven may be a stranger's, and whoever has registered
 * it causes notices at will; a proven one gets every notice, so that nobody can use up the limit to hide one.
 */
export async function notify(
  ctx: Context,
  { email, emailVerified }: { email: string; emailVerified: boolean },
  send: () => Promise<void>,
): Promise<void> {
  if (emailVerified) return send();
  if (await isUsedUp(ctx, mailTo(email))) return;
  await send();
  // Counted afterwards: the count is locked until the event's transaction ends, and requests that count mails to this address
  // would have to wait for the mail server.
  await consumeLimits(ctx, [mailTo(email)]);
}

function mailTo(address: string): Use {
  return { limit: 'mailAccount', subject: `to ${addressKey(address)}` };
}
