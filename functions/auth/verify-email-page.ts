// GET /verify-email: the page that a verification email links to. Its button posts the token.
import { plainContext } from '../../shared/context/plain-context';
import { verifyEmailPage } from '../../shared/emails/link-pages';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Page that a verification email links to',
  replies: {
    200: {
      description: 'A button that posts to the same path',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ ctx }) => {
    const { html, policy } = verifyEmailPage(ctx.config.mail.appName);
    return htmlReply(html, policy);
  },
});
