// POST /reset-password: the token of a reset mail and a new password. Ends all of the user's sessions.
import * as v from 'valibot';
import { type PublishingContext, publishingContext } from '../../shared/events/publisher';
import { endpoint } from '../../shared/http/endpoint';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { exactly, parseBody, type Request } from '../../shared/http/request';
import { NewPassword } from '../../shared/passwords/fields';
import { resetPassword } from '../../shared/passwords/reset-password';
import { limitRate, useByAddress } from '../../shared/rate-limits/limit-rate';

const Body = exactly({ token: v.string('must be a string'), password: NewPassword });

export async function resetForgottenPassword(request: Request, ctx: PublishingContext): Promise<Reply> {
  const { token, password } = parseBody(request, Body);
  await limitRate(ctx, [useByAddress('mailAddress', request.address)]);
  const user = await resetPassword(ctx, token, password, originOf(request, null));
  return reply(200, { user }, { etag: `"${user.version}"` });
}

export const handler = endpoint(publishingContext, resetForgottenPassword);
