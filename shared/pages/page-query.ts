import * as v from 'valibot';

/**
 * What a link to a hosted page may carry. Anything else is ignored: mail programs append to links. Values are not checked
 * here, because a person sees the answer: the page says what is wrong.
 */
export const PageQuery = v.object({
  return_to: v.optional(
    v.pipe(
      v.string(),
      v.description('One of `RETURN_URLS`, exactly, or `console`: where to go after the login'),
    ),
  ),
  state: v.optional(v.pipe(v.string(), v.description('Comes back as it was given'))),
  code_challenge: v.optional(
    v.pipe(v.string(), v.description('SHA-256 of a verifier in base64url: the method S256 (RFC 7636)')),
  ),
  id: v.optional(v.pipe(v.string(), v.description('Of an export'))),
  token: v.optional(v.pipe(v.string(), v.description('Of a link in a mail'))),
});

export type PageQuery = v.InferOutput<typeof PageQuery>;
