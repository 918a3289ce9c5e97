// GET /.well-known/jwks.json: the keys that verify our access tokens. None where a secret signs them.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Jwks } from '../../shared/openapi/schemas';
import { publicJwks } from '../../shared/tokens/token-keys';

/** As long as a verifier may take to hear of a new key, which is why one is listed before it signs. */
const MAX_AGE_SECONDS = 300;

export const documentation = {
  summary: 'List the keys that verify access tokens',
  description: 'Empty where a secret signs them (HS256).',
  replies: { 200: { description: 'A JSON Web Key Set (RFC 7517)', body: Jwks, headers: ['cache-control'] } },
} satisfies Documentation;

export const handler = endpoint({
  context: plainContext,
  access: anyone,
  handle: async ({ ctx }) => {
    const { signingKey, previousKeys } = ctx.config.tokens;
    return reply(
      200,
      { keys: publicJwks([signingKey, ...previousKeys]) },
      { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
    );
  },
});
