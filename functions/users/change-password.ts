// PUT /users/{id}/password: a new password; one's own takes the current one. Ends all of the user's sessions.
import * as v from 'valibot';
import { changePassword } from '../../shared/accounts/change-password';
import { NewPassword } from '../../shared/credentials/fields';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, reply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { SessionTokens } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { authenticate } from '../../shared/sessions/authenticate';

const Body = exactly({ currentPassword: v.optional(v.string('must be a string')), newPassword: NewPassword });

export const operation = {
  summary: 'Change a password',
  description:
    "One's own takes the current one. All of the user's sessions end; whoever changes their own password goes on with the new session of the answer.",
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  headers: ['if-match'],
  body: Body,
  replies: {
    200: { description: "One's own is changed: the tokens of a new session", body: SessionTokens },
    204: { description: "Another's is changed" },
  },
  errors: ['invalid_credentials', 'rate_limited'],
} satisfies Operation;

export async function changeUserPassword(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const id = authorizeSelfOr(caller, request.params['id'], 'users:write');
  const { currentPassword, newPassword } = parseBody(request, Body);
  const change = { currentPassword, newPassword };
  const origin = originOf(request, caller);
  const tokens = await changePassword(ctx, caller, id, change, readIfMatch(request), origin);
  return tokens ? reply(200, tokens) : reply(204);
}

export const handler = endpoint(publishingContext, changeUserPassword);
