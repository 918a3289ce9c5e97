import * as v from 'valibot';
import { characters } from '../characters';

const MAX_IDEMPOTENCY_KEY = 255;

/**
 * The versions that `If-Match` allows (RFC 9110, section 13.1.1), or null for any version. The comparison is strong:
 * weak and unknown tags match nothing.
 */
export const IfMatch = v.optional(v.pipe(v.nullable(v.string()), v.transform(readIfMatch)), null);

/** The entity tags of the caller's cached versions; `recordReply` compares them. */
export const IfNoneMatch = v.optional(v.string());

/** The client's key for all attempts of one request, or null. */
export const IdempotencyKey = v.optional(
  v.nullable(
    v.pipe(
      v.string(),
      v.check(
        (key) => key.length > 0 && characters(key) <= MAX_IDEMPOTENCY_KEY,
        `must have 1 to ${MAX_IDEMPOTENCY_KEY} characters`,
      ),
    ),
  ),
  null,
);

function readIfMatch(header: string | null): number[] | null {
  if (header === null) return null;
  const tags = header.split(',').map((tag) => tag.trim());
  if (tags.includes('*')) return null;
  return tags.flatMap((tag) => {
    // With a variant, as `recordReply` writes it, the tag still says which version the client has read.
    const [, version] = /^"([1-9]\d{0,9})(?:\.[0-9a-f]+)?"$/.exec(tag) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
}
