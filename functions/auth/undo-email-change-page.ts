// GET /undo-email-change: the page that the notices of a change of address lead to. Its form posts token and password.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { undoEmailChangePage } from '../../shared/emails/link-pages';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply, type Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';

export const operation = {
  summary: 'Show the page that notices of a change of address link to',
  auth: 'none',
  replies: {
    200: {
      description: 'A form that posts to the same path',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Operation;

export async function showUndoEmailChange(_request: Request, ctx: PlainContext): Promise<Reply> {
  const { html, policy } = undoEmailChangePage(ctx.config.mail.appName);
  return htmlReply(html, policy);
}

export const handler = endpoint(plainContext, showUndoEmailChange);
