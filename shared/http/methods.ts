import { DomainError } from '../errors';
import { preflightHeaders } from './cors';
import { type Reply, reply } from './reply';

/**
 * Replies to requests that no function handles: CORS headers for a preflight, 404 for everything else.
 * @throws DomainError `not_found`
 */
export function replyToUnknownRoute(method: string): Reply {
  if (method === 'OPTIONS') return reply(204, undefined, preflightHeaders());
  throw new DomainError('not_found', { detail: 'Route not found' });
}

/**
 * Whether the function does not support the request's method. API Gateway has no route for GET and HEAD together, so GET
 * functions have an ANY route, which also matches all methods that no other route of the path matches.
 */
export function isOtherMethod(routeKey: string | undefined, method: string): boolean {
  return routeKey?.startsWith('ANY ') === true && method !== 'GET' && method !== 'HEAD';
}
