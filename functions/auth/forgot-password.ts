// POST /forgot-password: emails a reset link. Known and unknown addresses get the same response in the same time.
import { requestPasswordReset } from '../../shared/accounts/request-password-reset';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Accepted } from '../../shared/openapi/schemas';
import { limitRate } from '../../shared/rate-limits/limit-rate';
import { addressKey } from '../../shared/users/email-address';
import { Email } from '../../shared/users/fields';

const Body = exactly({ email: Email });

export const documentation = {
  summary: 'Request a password reset link',
  description: 'Known and unknown addresses get the same response in the same time.',
  replies: { 202: { description: 'The link is sent if a user has this address', body: Accepted } },
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyone,
  limit: byAddress('mailAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => {
    const { email } = body;
    await limitRate(ctx, [{ limit: 'mailAccount', subject: `forgot-password ${addressKey(email)}` }]);
    await requestPasswordReset(ctx, email, origin);
    return reply(202, { status: 'accepted' });
  },
});
