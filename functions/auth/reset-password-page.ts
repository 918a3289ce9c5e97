// GET /reset-password: the page that the link of a reset mail leads to. Its form posts the token and the password.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { resetPasswordPage } from '../../shared/emails/link-pages';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply, type Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';

export const operation = {
  summary: 'Show the page that a reset mail links to',
  auth: 'none',
  replies: {
    200: {
      description: 'A form that posts to the same path',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Operation;

export async function showResetPassword(_request: Request, ctx: PlainContext): Promise<Reply> {
  const { html, policy } = resetPasswordPage(ctx.config.mail.appName);
  return htmlReply(html, policy);
}

export const handler = endpoint(plainContext, showResetPassword);
