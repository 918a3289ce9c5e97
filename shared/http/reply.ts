export interface Reply {
  status: number;
  /** Text and bytes are sent as they are, with the content type among the headers; everything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

export function reply(status: number, body?: unknown, headers: Record<string, string> = {}): Reply {
  return { status, body, headers };
}

/** A page. @param policy its Content-Security-Policy */
export function htmlReply(html: string, policy: string, headers: Record<string, string> = {}): Reply {
  return reply(200, html, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    ...headers,
  });
}

/** A record with its version as the entity tag. 304 where the caller's `If-None-Match` has it already. */
export function recordReply(record: { version: number }, ifNoneMatch?: string): Reply {
  const etag = `"${record.version}"`;
  if (ifNoneMatch !== undefined && matchesEntityTag(ifNoneMatch, etag))
    return { status: 304, headers: { etag } };
  return { status: 200, body: record, headers: { etag } };
}

/** 201 for a new record: where it is, and its version as the entity tag. */
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
