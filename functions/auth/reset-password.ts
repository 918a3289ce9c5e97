// POST /reset-password: the token of a reset mail and a new password. Ends all of the user's sessions.
import * as v from 'valibot';
import { resetPassword } from '../../shared/accounts/reset-password';
import { NewPassword } from '../../shared/credentials/fields';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { UserAnswer } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { shownUser } from '../../shared/users/shown-user';

const Body = exactly({ token: v.string('must be a string'), password: NewPassword });

export const operation = {
  summary: 'Set a new password with the token of a reset mail',
  description: "Ends all of the user's sessions.",
  auth: 'none',
  body: Body,
  replies: { 200: { description: 'The user', body: UserAnswer, headers: ['etag'] } },
  errors: ['invalid_token', 'rate_limited'],
} satisfies Operation;

export async function resetForgottenPassword(request: Request, ctx: PublishingContext): Promise<Reply> {
  // Before the body is read: a refusal should cost nothing.
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  const { token, password } = parseBody(request, Body);
  const user = await resetPassword(ctx, token, password, originOf(request, null));
  return reply(200, { user: shownUser(user) }, { etag: `"${user.version}"` });
}

export const handler = endpoint(publishingContext, resetForgottenPassword);
