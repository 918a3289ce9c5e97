import type { Context } from '../context/context';
import { addressKey } from '../users/email-address';
import { limitRate, refuseUse, type Use } from './limit-rate';

/**
 * Counts a mail that is about to be asked for, by whom it goes to and by who causes it, whatever the route: one limit
 * for each route would add up to a flood for the one mailbox.
 * @param by the user who causes it; null where that is the one whose address it is
 * @throws DomainError `rate_limited`
 */
export function limitMail(ctx: Context, to: string, by: string | null): Promise<void> {
  return limitRate(
    ctx,
    by === null ? [mailTo(to)] : [mailTo(to), { limit: 'mailAccount', subject: `by ${by}` }],
  );
}

/** As `limitMail`, where the answer must not tell. @returns whether the mail may go out */
export async function mayMail(ctx: Context, to: string): Promise<boolean> {
  return (await refuseUse(ctx, [mailTo(to)])) === null;
}

function mailTo(address: string): Use {
  return { limit: 'mailAccount', subject: `to ${addressKey(address)}` };
}
