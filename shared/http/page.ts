import * as v from 'valibot';

/** `limit`: 1 to 100, default 20. */
export const Limit = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^\d{1,3}$/, 'must be a whole number from 1 to 100'),
    v.transform(Number),
    v.number(),
    v.integer(),
    v.minValue(1, 'must be at least 1'),
    v.maxValue(100, 'must be at most 100'),
  ),
  '20',
);

/** A `cursor` from an earlier page. Opaque to clients, so that its format can change. */
export function Cursor<T extends v.GenericSchema>(position: T) {
  return v.optional(
    v.pipe(
      v.pipe(v.string(), v.description('`nextCursor` of the previous page')),
      v.transform(decodeCursor),
      v.check((value) => v.is(position, value), 'must be a nextCursor from this list'),
      v.transform((value) => v.parse(position, value)),
    ),
  );
}

/**
 * One page of a list.
 * @param records up to `limit` + 1 of them; the extra one means that another page follows
 * @param positionOf a record's position in the list's order
 */
export function pageOf<T>(records: T[], limit: number, positionOf: (record: T) => unknown) {
  const items = records.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = records.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null;
  return { items, nextCursor };
}

/** A position as the opaque text of a cursor. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @returns null for text that is no cursor */
export function decodeCursor(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
