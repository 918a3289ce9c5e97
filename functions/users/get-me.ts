// GET /users/me: the caller. Read together with their session, in the one query that authenticates.
import { containerContext } from '../../shared/context/context';
import { anyCaller } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfNoneMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { recordReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { User } from '../../shared/openapi/schemas';
import { shownUser } from '../../shared/users/shown-user';

export const documentation = {
  summary: 'Read oneself',
  replies: { 200: { description: 'The caller', body: User, headers: ['etag'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyCaller,
  headers: headers({ 'if-none-match': IfNoneMatch }),
  handle: async ({ caller, headers }) => recordReply(shownUser(caller.user), headers['if-none-match']),
});
