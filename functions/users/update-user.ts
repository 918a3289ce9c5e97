// PUT /users/{id}: changes a user. Fields that are not sent stay; If-Match keeps one writer from undoing another's work.
import * as v from 'valibot';
import { limitUpdate } from '../../shared/accounts/limit-update';
import { updateUser } from '../../shared/accounts/update-user';
import { authorizeSelfOr } from '../../shared/http/authorize';
import { endpoint } from '../../shared/http/endpoint';
import { readIfMatch } from '../../shared/http/if-match';
import { originOf } from '../../shared/http/origin';
import { type Reply, recordReply } from '../../shared/http/reply';
import { bearerToken, exactly, parseBody, type Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { User } from '../../shared/openapi/schemas';
import { type PublishingContext, publishingContext } from '../../shared/outbox/publisher';
import { authenticate } from '../../shared/sessions/authenticate';
import { DisplayName, Email, Metadata, Username } from '../../shared/users/fields';
import { shownUser } from '../../shared/users/shown-user';

const fields = {
  username: v.exactOptional(Username),
  displayName: v.exactOptional(DisplayName),
  metadata: v.exactOptional(Metadata),
  pendingEmail: v.exactOptional(v.null('must be null, which gives the address up')),
  currentPassword: v.exactOptional(v.string('must be a string')),
};
const Body = exactly({ ...fields, email: v.exactOptional(Email) });
const BodyWithOptionalEmail = exactly({ ...fields, email: v.exactOptional(v.nullable(Email)) });

export const operation = {
  summary: 'Change a user',
  description:
    "Fields that are not sent stay. Another `email` of one's own takes the `currentPassword` and is the `pendingEmail` until the link that is sent to it is used; the address in use is told, with a link that stops the change. `pendingEmail: null` gives it up. An administrator sets another user's `email` at once, unverified. Another `username` of one's own takes the `currentPassword`, or a token from a login or `POST /step-up` of the last `REAUTH_SECONDS`. Where `REQUIRE_EMAIL` is false, `email` may be null.",
  auth: 'bearer',
  permission: 'users:write',
  orSelf: true,
  headers: ['if-match'],
  body: Body,
  example: { displayName: 'Gorden', metadata: { plan: 'pro' } },
  replies: { 200: { description: 'The user as it is now', body: User, headers: ['etag'] } },
  errors: [
    'username_taken',
    'email_taken',
    'invalid_credentials',
    'reauthentication_required',
    'rate_limited',
  ],
} satisfies Operation;

export async function updateUserById(request: Request, ctx: PublishingContext): Promise<Reply> {
  const caller = await authenticate(ctx, bearerToken(request));
  const id = authorizeSelfOr(caller, request.params['id'], 'users:write');
  const update = parseBody(request, ctx.config.users.requireEmail ? Body : BodyWithOptionalEmail);
  if (id === caller.user.id) await limitUpdate(ctx, caller, update, request.address);
  const user = await updateUser(ctx, caller, id, update, readIfMatch(request), originOf(request, caller));
  return recordReply(shownUser(user));
}

export const handler = endpoint(publishingContext, updateUserById);
