// POST /verify-email/resend: another verification mail for the caller. 202 also where there is nothing to verify.
import { type Context, containerContext } from '../../shared/context/context';
import { requestVerification } from '../../shared/email-addresses/request-verification';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Accepted } from '../../shared/openapi/schemas';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { authenticate } from '../../shared/sessions/authenticate';

export const operation = {
  summary: 'Send another verification mail',
  auth: 'bearer',
  replies: { 202: { description: 'Sent soon, if there is something to verify', body: Accepted } },
  errors: ['rate_limited'],
} satisfies Operation;

export async function resendVerification(request: Request, ctx: Context): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  await requestVerification(ctx, caller.user, originOf(request, caller));
  return reply(202, { status: 'accepted' });
}

export const handler = endpoint(containerContext, resendVerification);
