export interface Reply {
  status: number;
  /** Strings and buffers are sent as they are and need a `content-type` header; everything else is sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** `Set-Cookie` headers. */
  cookies?: string[];
}

export function reply(status: number, body?: unknown, headers: Record<string, string> = {}): Reply {
  return { status, body, headers };
}

/** An HTML page. @param policy its Content-Security-Policy */
export function htmlReply(html: string, policy: string, headers: Record<string, string> = {}): Reply {
  return reply(200, html, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    ...headers,
  });
}

/**
 * A record with its version as the entity tag; 304 if `If-None-Match` has this version.
 * @param variant a suffix of the tag, for what is in the response and can change without the version
 */
export function recordReply(record: { version: number }, ifNoneMatch?: string, variant = ''): Reply {
  const etag = `"${record.version}${variant}"`;
  if (ifNoneMatch !== undefined && matchesEntityTag(ifNoneMatch, etag))
    return { status: 304, headers: { etag } };
  return { status: 200, body: record, headers: { etag } };
}

/** 201 for a new record, with its location and its version as the entity tag. */
export function createdReply(
  location: string,
  { version }: { version: number },
  body: unknown,
  headers: Record<string, string> = {},
): Reply {
  return reply(201, body, { location, etag: `"${version}"`, ...headers });
}

/** RFC 9110, section 13.1.2: a list of tags compared weakly, or `*`. */
function matchesEntityTag(header: string, etag: string): boolean {
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
