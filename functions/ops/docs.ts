// GET /docs: the OpenAPI document as pages to read and try out.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { htmlReply, type Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import { DOCS_PAGE, DOCS_POLICY } from '../../shared/openapi/docs-page';
import type { Operation } from '../../shared/openapi/operation';

export const operation = {
  summary: 'Read this document as pages',
  auth: 'none',
  replies: {
    200: {
      description: 'A page that needs nothing from elsewhere',
      contentType: 'text/html',
      headers: ['cache-control', 'content-security-policy'],
    },
  },
} satisfies Operation;

export async function docs(_request: Request, _ctx: PlainContext): Promise<Reply> {
  return htmlReply(DOCS_PAGE, DOCS_POLICY, { 'cache-control': 'public, max-age=300' });
}

export const handler = endpoint(plainContext, docs);
