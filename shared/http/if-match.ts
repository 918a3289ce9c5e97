import type { Request } from './request';

/**
 * The versions that `If-Match` allows (RFC 9110, section 13.1.1), or null where any will do. The comparison is strong:
 * a weak tag allows nothing, and neither does what is no tag of ours.
 */
export function readIfMatch(request: Request): number[] | null {
  const header = request.headers['if-match'];
  if (header === undefined) return null;
  const tags = header.split(',').map((tag) => tag.trim());
  if (tags.includes('*')) return null;
  return tags.flatMap((tag) => {
    const [, version] = /^"([1-9]\d{0,9})"$/.exec(tag) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
}
