import { DomainError } from '../errors';
import { preflightHeaders } from './cors';
import { type Reply, reply } from './reply';

/**
 * What a request gets that no function answers: its headers where it is the preflight of a path, else 404.
 * @throws DomainError `not_found`
 */
export function answerNoRoute(method: string): Reply {
  if (method === 'OPTIONS') return reply(204, undefined, preflightHeaders());
  throw new DomainError('not_found', { detail: 'There is no such route' });
}

/**
 * Whether a request is for another method than its function has. API Gateway knows no route for GET and HEAD, so what
 * answers GET has one for ANY, which takes in all methods that no other route of the path does.
 */
export function isOtherMethod(routeKey: string | undefined, method: string): boolean {
  return routeKey?.startsWith('ANY ') === true && method !== 'GET' && method !== 'HEAD';
}
