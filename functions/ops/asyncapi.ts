// GET /asyncapi.json: the events as an AsyncAPI 3 document, which `npm run asyncapi` generates.
import document from '../../shared/asyncapi/asyncapi.json';
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { AsyncApi } from '../../shared/openapi/schemas';

export const documentation = {
  summary: 'AsyncAPI document of the events',
  replies: {
    200: {
      description: 'AsyncAPI 3: every event with its schema, and the queues',
      body: AsyncApi,
      headers: ['cache-control'],
    },
  },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async () => reply(200, document, { 'cache-control': 'public, max-age=300' }),
});
