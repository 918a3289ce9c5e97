// GET /openapi.json: this API as an OpenAPI 3.1 document. `npm run openapi` makes it; nothing is computed here.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import document from '../../shared/openapi/openapi.json';
import { OpenApi } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'Read this document',
  replies: {
    200: {
      description: 'OpenAPI 3.1',
      body: OpenApi,
      headers: ['cache-control'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async () => reply(200, document, { 'cache-control': 'public, max-age=300' }),
});
