import type { Context } from '../context/context';
import type { Origin } from '../events/origin';
import { appendMailRequest } from './append-mail-request';

/**
 * Requests a reset link for the user with this address, if there is one. Neither the response nor its time reveals
 * whether there is.
 */
export async function requestPasswordReset(ctx: Context, email: string, origin: Origin): Promise<void> {
  await appendMailRequest(ctx, {
    type: 'user.password_reset_requested',
    email,
    isWithinLimit: true,
    data: (id) => ({ id }),
    origin,
  });
}
