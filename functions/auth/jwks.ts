// GET /.well-known/jwks.json: the keys that verify our access tokens. None where a secret signs them.
import { type Context, containerContext } from '../../shared/context';
import { endpoint } from '../../shared/http/endpoint';
import { type Reply, reply } from '../../shared/http/reply';
import type { Request } from '../../shared/http/request';
import { publicJwks } from '../../shared/sessions/token-keys';

/** As long as a verifier may take to hear of a new key, which is why one is listed before it signs. */
const MAX_AGE_SECONDS = 300;

export async function jwks(_request: Request, ctx: Context): Promise<Reply> {
  const { signingKey, previousKeys } = ctx.config.tokens;
  return reply(
    200,
    { keys: publicJwks([signingKey, ...previousKeys]) },
    { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
  );
}

export const handler = endpoint(containerContext, jwks);
