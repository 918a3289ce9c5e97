// POST /verify-email: the token of a verification mail, for a verified address.
import * as v from 'valibot';
import { verifyEmail } from '../../shared/email-addresses/verify-email';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { UserAnswer } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';
import { shownUser } from '../../shared/users/shown-user';

const Body = exactly({ token: v.string('must be a string') });

export const operation = {
  summary: 'Verify an e-mail address',
  description: 'A `pendingEmail` becomes the `email` by this.',
  auth: 'none',
  body: Body,
  replies: { 200: { description: 'The user, verified', body: UserAnswer, headers: ['etag'] } },
  errors: ['invalid_token', 'email_taken', 'rate_limited'],
} satisfies Operation;

export async function verifyEmailAddress(request: Request, ctx: PublishingContext): Promise<Reply> {
  // Before the body is read: a refusal should cost nothing.
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  const { token } = parseBody(request, Body);
  const user = await verifyEmail(ctx, token, originOf(request, null));
  return reply(200, { user: shownUser(user) }, { etag: `"${user.version}"` });
}

export const handler = endpoint(publishingContext, verifyEmailAddress);
