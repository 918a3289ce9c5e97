// GET /asyncapi.json: the events as an AsyncAPI 3 document. `npm run asyncapi` makes it; nothing is computed here.
import document from '../../shared/asyncapi/asyncapi.json';
import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { AsyncApi } from '../../shared/openapi/schemas';

export const operation = {
  summary: 'Read which events there are',
  auth: 'none',
  replies: {
    200: {
      description: 'AsyncAPI 3: every event with its schema, and the queues',
      body: AsyncApi,
      headers: ['cache-control'],
    },
  },
} satisfies Operation;

export async function asyncapi(_request: Request, _ctx: PlainContext): Promise<Reply> {
  return reply(200, document, { 'cache-control': 'public, max-age=300' });
}

export const handler = endpoint(plainContext, asyncapi);
