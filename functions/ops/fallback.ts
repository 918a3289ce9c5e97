// Every other route: the CORS preflight of any path, and 404 for what does not exist.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { answerNoRoute } from '../../shared/http/methods';
import type { Reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';

export async function fallback(request: Request, _ctx: PlainContext): Promise<Reply> {
  return answerNoRoute(request.method);
}

export const handler = endpoint(plainContext, fallback);
