// POST /undo-email-change: the token of a notice to a former address, for that address and a new password.
import * as v from 'valibot';
import { NewPassword } from '../../shared/credentials/fields';
import { undoEmailChange } from '../../shared/email-addresses/undo-email-change';
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
  summary: 'Stop a change of address, or take it back',
  description:
    "With the token of the notice that the address before has got, for `UNDO_EMAIL_CHANGE_SECONDS`. Sets a new password, because whoever asked for the change knew the old one, ends all of the user's sessions and voids all other links.",
  auth: 'none',
  body: Body,
  replies: { 200: { description: 'The user, with the address before', body: UserAnswer, headers: ['etag'] } },
  errors: ['invalid_token', 'email_taken', 'rate_limited'],
} satisfies Operation;

export async function undoChangeOfEmail(request: Request, ctx: PublishingContext): Promise<Reply> {
  const { token, password } = parseBody(request, Body);
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  const user = await undoEmailChange(ctx, token, password, originOf(request, null));
  return reply(200, { user: shownUser(user) }, { etag: `"${user.version}"` });
}

export const handler = endpoint(publishingContext, undoChangeOfEmail);
