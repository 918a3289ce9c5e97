// GET /sign-in (/sign-up, /forgot-password, /reset-password, /verify-email, /undo-email-change, /export): the hosted pages.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { query } from '../../shared/http/parts';
import { htmlReply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { PageQuery } from '../../shared/pages/page-query';
import { pageShell } from '../../shared/pages/shell';

export const documentation = {
  summary: 'Page to sign in',
  description:
    'With `return_to`, it goes there with a `code` for `POST /login/exchange`. Opening a page changes nothing.',
  otherRoutes: {
    '/sign-up': 'Page to create an account, and then as `/sign-in`',
    '/forgot-password': 'Page to request a password reset link',
    '/reset-password': 'Page that a password reset email links to',
    '/verify-email': 'Page that a verification email links to',
    '/undo-email-change': 'Page that email change notices link to',
    '/export': 'Page that the mail about an export links to',
  },
  replies: {
    200: {
      description: 'A page without third-party resources',
      contentType: 'text/html',
      headers: ['content-security-policy'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  query: query(PageQuery),
  handle: async ({ ctx, pathname, query }) => {
    const { html, policy } = await pageShell(ctx.config, pathname, query);
    return htmlReply(html, policy);
  },
});
