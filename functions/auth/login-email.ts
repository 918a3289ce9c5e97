// POST /login/email: mails a code to sign in with. Known and unknown addresses get the same response in the same time.
import { requestLoginCode } from '../../shared/accounts/request-login-code';
import { containerContext } from '../../shared/context/context';
import { exactly } from '../../shared/exactly';
import { anyoneByMail } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { CodeRequested } from '../../shared/openapi/schemas';
import { Email } from '../../shared/users/fields';

const Body = exactly({ email: Email });

export const documentation = {
  summary: 'Request a code to sign in with, by mail',
  description:
    'Known and unknown addresses get the same response in the same time. Keep the `emailToken` where the user asked: the code in the mail is worth nothing without it. With `EMAIL_LOGIN=off`: 404.',
  replies: { 202: { description: 'The code is sent if a user has this address', body: CodeRequested } },
  errors: ['not_found'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyoneByMail,
  limit: byAddress('mailAddress'),
  body: json(Body),
  handle: async ({ ctx, body, origin }) => reply(202, await requestLoginCode(ctx, body.email, origin)),
});
