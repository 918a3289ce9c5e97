// GET /docs: the OpenAPI document as interactive documentation.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply } from '../../shared/http/reply';
import { DOCS_PAGE, DOCS_POLICY } from '../../shared/openapi/docs-page';
import type { Documentation } from '../../shared/openapi/documentation';

export const documentation = {
  summary: 'Interactive API documentation',
  replies: {
    200: {
      description: 'A page without third-party resources',
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
