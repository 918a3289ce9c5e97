// GET /verify-email: the page that the link of a verification mail leads to. Its button posts the token.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { verifyEmailPage } from '../../shared/emails/link-pages';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply, type Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';

export const operation = {
  summary: 'Show the page that a verification mail links to',
  auth: 'none',
  replies: {
    200: {
      description: 'A button that posts to the same path',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Operation;

export async function showVerifyEmail(_request: Request, ctx: PlainContext): Promise<Reply> {
  const { html, policy } = verifyEmailPage(ctx.config.mail.appName);
  return htmlReply(html, policy);
}

export const handler = endpoint(plainContext, showVerifyEmail);
