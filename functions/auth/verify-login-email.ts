// POST /login/email/verify: logs in with a mailed code.
import { containerContext } from '../../shared/context/context';
import { anyoneByMail } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { byAddress } from '../../shared/http/limit';
import { json } from '../../shared/http/parts';
import { reply } from '../../shared/http/reply';
import { MailedCodeLogin } from '../../shared/mailed-codes/fields';
import type { Documentation } from '../../shared/openapi/documentation';
import { LoggedIn } from '../../shared/openapi/schemas';
import { logInWithMailedCode } from '../../shared/sign-in/log-in-with-mailed-code';
import { userResponse } from '../../shared/users/user-response';

export const documentation = {
  summary: 'Log in with a mailed code',
  description:
    'Works once, within 10 minutes and five tries. Verifies the address; if it was unverified until now, the password, second factors and sessions from before are removed. After the right code of a user with a second factor: `second_factor_required`, with a `factorToken` for `POST /login/factor`. With `EMAIL_LOGIN=off`: 404.',
  example: { emailToken: '…', code: '123456' },
  replies: { 200: { description: 'The user and a new session', body: LoggedIn } },
  errors: ['invalid_token', 'invalid_code', 'second_factor_required', 'user_suspended', 'not_found'],
} satisfies Documentation;

export const handler = endpoint({
  context: containerContext,
  access: anyoneByMail,
  limit: byAddress('loginAddress'),
  body: json(MailedCodeLogin),
  handle: async ({ ctx, body, origin }) => {
    const { user, tokens } = await logInWithMailedCode(ctx, body, origin);
    return reply(200, { user: userResponse(ctx, user), ...tokens });
  },
});
