// POST /users/{id}/erasure: deletes a user, and has all data holders erase what they hold.
import { eraseUser } from '../../shared/erasure/erase-user';
import { recently, selfOr } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Erasure } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';

export const documentation = {
  summary: 'Erase a user everywhere',
  description:
    'Deletes the user as `DELETE /users/{id}` does, and opens a case: `user.erasure_requested` asks every data holder to erase what it holds, and each owes a receipt. When all have answered, `user.erasure_completed` says so.',
  replies: { 202: { description: 'The case', body: Erasure, headers: ['location'] } },
  errors: ['last_admin'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(selfOr('users:write')),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, caller, userId, headers, origin }) => {
    const erasure = await eraseUser(ctx, caller, userId, headers['if-match'], origin);
    return reply(202, erasure, { location: `/erasures/${erasure.id}` });
  },
});
