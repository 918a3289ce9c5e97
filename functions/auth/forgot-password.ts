// POST /forgot-password: a reset link by mail. The same answer in the same time, whether or not the address is known.

import { requestPasswordReset } from '../../shared/accounts/request-password-reset';
import { type Context, containerContext } from '../../shared/context/context';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Accepted } from '../../shared/openapi/schemas';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { addressKey } from '../../shared/users/email-address';
import { Email } from '../../shared/users/fields';

const Body = exactly({ email: Email });

export const operation = {
  summary: 'Send a link to reset the password',
  description: 'The same answer in the same time, whether or not anybody has the address.',
  auth: 'none',
  body: Body,
  replies: { 202: { description: 'Sent soon, if somebody has the address', body: Accepted } },
  errors: ['rate_limited'],
} satisfies Operation;

export async function forgotPassword(request: Request, ctx: Context): Promise<Reply> {
  // Before the body is read: a refusal should cost nothing.
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  const { email } = parseBody(request, Body);
  await limitRate(ctx, [{ limit: 'mailAccount', subject: `forgot-password ${addressKey(email)}` }]);
  await requestPasswordReset(ctx, email, originOf(request, null));
  return reply(202, { status: 'accepted' });
}

export const handler = endpoint(containerContext, forgotPassword);
