// GET /.well-known/jwks.json: the keys that verify our access tokens. None where a secret signs them.

import { type PlainContext, plainContext } from '../../shared/context/plain-context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import type { Operation } from '../../shared/openapi/operation';
import { Jwks } from '../../shared/openapi/schemas';
import { publicJwks } from '../../shared/tokens/token-keys';

/** As long as a verifier may take to hear of a new key, which is why one is listed before it signs. */
const MAX_AGE_SECONDS = 300;

export const operation = {
  summary: 'List the keys that verify access tokens',
  description: 'Empty where a secret signs them (HS256).',
  auth: 'none',
  replies: { 200: { description: 'A JSON Web Key Set (RFC 7517)', body: Jwks, headers: ['cache-control'] } },
} satisfies Operation;

export async function jwks(_request: Request, ctx: PlainContext): Promise<Reply> {
  const { signingKey, previousKeys } = ctx.config.tokens;
  return reply(
    200,
    { keys: publicJwks([signingKey, ...previousKeys]) },
    { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
  );
}

export const handler = endpoint(plainContext, jwks);
