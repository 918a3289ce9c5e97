const ALLOWED = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, if-match, if-none-match, idempotency-key, traceparent, x-request-id',
  'access-control-max-age': '600',
};
const EXPOSED = 'etag, location, retry-after, x-request-id, idempotent-replayed, www-authenticate';

/** CORS headers for an allowed origin. Tokens are sent in a header, so credentials (cookies) are not allowed. */
export function corsHeaders(allowed: string[], origin: string | undefined): Record<string, string> {
  if (origin === undefined || allowed.length === 0) return {};
  if (!allowed.includes('*') && !allowed.includes(origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  };
}

/** Response headers of a preflight (Fetch standard, section 4.8). `corsHeaders` adds the origin to every response. */
export function preflightHeaders(): Record<string, string> {
  return ALLOWED;
}
