import * as v from 'valibot';

export const UNKNOWN_FIELD = 'is not a known field';

/** An object with these fields and no others. Reports every unknown field, not only the first. */
/* @__NO_SIDE_EFFECTS__ */
export function exactly<T extends v.ObjectEntries>(entries: T) {
  return v.objectWithRest(entries, v.never(UNKNOWN_FIELD), 'must be a JSON object');
}
