// DELETE /users/{id}/password: removes the caller's password, if they can sign in without it.
import { removePassword } from '../../shared/accounts/remove-password';
import { recently, self } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { IfMatch } from '../../shared/http/headers';
import { headers } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { publishingContext } from '../../shared/outbox/publisher';

export const documentation = {
  summary: 'Remove a password',
  description:
    'For users who have another way to sign in: a passkey, or mailed codes to a verified address if `EMAIL_LOGIN` is on.',
  replies: { 204: { description: 'The password is removed' } },
  errors: ['not_found', 'last_sign_in_method', 'forbidden', 'second_factor_setup_required', 'rate_limited'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: recently(self()),
  headers: headers({ 'if-match': IfMatch }),
  handle: async ({ ctx, caller, headers, origin }) => {
    await removePassword(ctx, caller, headers['if-match'], origin);
    return reply(204);
  },
});
