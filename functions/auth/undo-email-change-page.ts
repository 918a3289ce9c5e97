// GET /undo-email-change: the page that email change notices link to. Its form posts the token and a new password.
import { plainContext } from '../../shared/context/plain-context';
import { undoEmailChangePage } from '../../shared/emails/link-pages';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Page that email change notices link to',
  replies: {
    200: {
      description: 'A form that posts to the same path',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ ctx }) => {
    const { html, policy } = undoEmailChangePage(ctx.config.mail.appName);
    return htmlReply(html, policy);
  },
});
