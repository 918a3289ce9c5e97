const ALLOWED = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, if-match, if-none-match, idempotency-key, traceparent, x-request-id',
  'access-control-max-age': '600',
};
const EXPOSED = 'etag, location, retry-after, x-request-id, idempotent-replayed, www-authenticate';

/** Headers for an allowed origin, none for any other. Tokens travel in a header, so no credentials are allowed. */
export function corsHeaders(allowed: string[], origin: string | undefined): Record<string, string> {
  if (origin === undefined || allowed.length === 0) return {};
  if (!allowed.includes('*') && !allowed.includes(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  };
}

/** What a preflight (Fetch standard, section 4.8) is told; the origin's own header comes with every answer. */
export function preflightHeaders(): Record<string, string> {
  return ALLOWED;
}
