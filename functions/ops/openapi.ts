// GET /openapi.json: this API as an OpenAPI 3.1 document, which `npm run openapi` generates.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import document from '../../shared/openapi/openapi.json';
import { OpenApi } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'OpenAPI document of this API',
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
