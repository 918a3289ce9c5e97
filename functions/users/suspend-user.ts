// PUT /users/{id}/suspension: suspends a user, who cannot sign in until restored or until a time.
import * as v from 'valibot';
import { suspendUser } from '../../shared/accounts/suspend-user';
import { exactly } from '../../shared/exactly';
import { permission, recently } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers, json, path } from '../../shared/http/parts';
import { UserRef } from '../../shared/http/path';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { SuspensionEnd, SuspensionReason } from '../../shared/users/fields';
import { userResponse } from '../../shared/users/user-response';

const Body = exactly({ reason: v.optional(SuspensionReason, null), until: v.optional(SuspensionEnd, null) });

export const documentation = {
  summary: 'Suspend a user',
  description: 'Ends their sessions; no sign-in works. Replaces an earlier suspension. Not for yourself.',
  example: { reason: 'Unpaid since March', until: '2027-01-01T00:00:00Z' },
  replies: { 200: { description: 'The suspended user', body: User, headers: ['etag'] } },
  errors: ['last_admin'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(permission('users:write')),
  path: path({ id: UserRef }),
  headers: headers({ 'if-match': IfMatch }),
  body: json(v.optional(Body, {})),
  handle: async ({ ctx, caller, path, headers, body, origin }) => {
    const id = path.id === 'me' ? caller.user.id : path.id;
    const user = await suspendUser(ctx, caller, id, body, headers['if-match'], origin);
    return recordReply(userResponse(ctx, user, caller));
  },
});
