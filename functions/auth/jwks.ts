// GET /.well-known/jwks.json: the public keys that verify access tokens; none if a shared secret signs them.
import { plainContext } from '../../shared/context/plain-context';
import { anyone } from '../../shared/http/access';
import { endpoint } from '../../shared/http/endpoint';
import { reply } from '../../shared/http/reply';
import type { Documentation } from '../../shared/openapi/documentation';
import { Jwks } from '../../shared/openapi/schemas';
import { publicJwks } from '../../shared/tokens/token-keys';

/** Verifiers may cache the keys this long, so a new key is published before it signs. */
const MAX_AGE_SECONDS = 300;

export const documentation = {
  summary: 'List the public keys that verify access tokens',
  description: 'Empty if access tokens are signed with a shared secret (HS256).',
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
