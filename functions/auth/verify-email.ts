// POST /verify-email: verifies an email address with the token of a verification email.
import * as v from 'valibot';
import { verifyEmail } from '../../shared/email-addresses/verify-email';
import { exactly } from '../../shared/exactly';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { UserAnswer } from '../../shared/openapi/schemas';
import { publishingContext } from '../../shared/outbox/publisher';
import { userResponse } from '../../shared/users/user-response';

const Body = exactly({ token: v.string('must be a string') });

export const documentation = {
  summary: 'Verify an email address',
  description: 'If the user has a `pendingEmail`, it becomes their `email`.',
  replies: { 200: { description: 'The verified user', body: UserAnswer, headers: ['etag'] } },
  errors: ['invalid_token', 'email_taken'],
} satisfies Documentation;

export const handler = endpoint({
  context: publishingContext,
  access: anyone,
  limit: byAddress('mailAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { token } = body;
    const user = await verifyEmail(ctx, token, origin);
    return reply(200, { user: userResponse(ctx, user) }, { etag: `"${user.version}"` });
  },
});
