// PUT /users/{id}/password: a new password; one's own takes the current one. The user's other sessions end.
import * as v from 'valibot';
import { type PublishingContext, publishingContext } from '../../shared/events/publisher';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { changePassword } from '../../shared/passwords/change-password';
import { NewPassword } from '../../shared/passwords/fields';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({ currentPassword: v.optional(v.string('must be a string')), newPassword: NewPassword });

export const operation = {
  summary: 'Change a password',
  description: "One's own takes the current one. The user's other sessions end.",
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  headers: ['if-match'],
  body: Body,
  replies: { 204: { description: 'It is changed' } },
  errors: ['invalid_credentials', 'rate_limited'],
} satisfies Operation;

export async function changeUserPassword(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const id = authorizeSelfOr(caller, request.params['id'], 'users:write');
  const { currentPassword, newPassword } = parseBody(request, Body);
  const change = { currentPassword, newPassword };
  await changePassword(ctx, caller, id, change, readIfMatch(request), originOf(request, caller));
  return reply(204);
}

export const handler = endpoint(publishingContext, changeUserPassword);
