import * as v from 'valibot';

/** A UUID in the path. */
export const Id = v.pipe(v.string(), v.uuid());

/** A user in the path: an id, or `me` for the caller. */
export const UserRef = v.union([v.literal('me'), Id]);
