// GET /openapi.json: this API as an OpenAPI 3.1 document. `npm run openapi` makes it; nothing is computed here.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import document from '../../shared/openapi/openapi.json';
import type { Operation } from '../../shared/openapi/operation';
import { OpenApi } from '../../shared/openapi/schemas';

export const operation = {
  summary: 'Read this document',
  auth: 'none',
  replies: {
    200: {
      description: 'OpenAPI 3.1',
      body: OpenApi,
      headers: ['cache-control'],
    },
  },
} satisfies Operation;

export async function openapi(_request: Request, _ctx: PlainContext): Promise<Reply> {
  return reply(200, document, { 'cache-control': 'public, max-age=300' });
}

export const handler = endpoint(plainContext, openapi);
