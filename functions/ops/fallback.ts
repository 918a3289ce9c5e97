// Every other route: the CORS preflight of any path, and 404 for what does not exist.

import { DomainError } from '../../shared/errors';
import { preflightHeaders } from '../../shared/http/cors';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import { type PlainContext, plainContext } from '../../shared/plain-context';

export async function fallback(request: Request, _ctx: PlainContext): Promise<Reply> {
  if (request.method === 'OPTIONS') return reply(204, undefined, preflightHeaders());
  throw new DomainError('not_found', { detail: 'There is no such route' });
}

export const handler = endpoint(plainContext, fallback);
