// GET /docs: the OpenAPI document as pages to read and try out.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply } from '../../shared/http/reply';
import { DOCS_PAGE, DOCS_POLICY } from '../../shared/openapi/docs-page';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Read this document as pages',
  replies: {
    200: {
      description: 'A page that needs nothing from elsewhere',
      contentType: 'text/html',
      headers: ['cache-control', 'content-security-policy'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async () => htmlReply(DOCS_PAGE, DOCS_POLICY, { 'cache-control': 'public, max-age=300' }),
});
