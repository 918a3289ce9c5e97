import * as v from 'valibot';
import { maxCharacters } from '../characters';
import { exactly } from '../exactly';
import { UserId } from '../users/fields';
import { Cursor, Limit } from './page';

/** The query of `GET /users`. */
export const UsersQuery = exactly({
  q: v.optional(v.pipe(v.string(), v.minLength(1, 'must not be empty'), ...maxCharacters(254))),
  role: v.optional(v.string()),
  suspended: v.optional(
    v.pipe(
      v.picklist(['true', 'false'], 'must be true or false'),
      v.transform((text) => text === 'true'),
    ),
  ),
  limit: Limit,
  cursor: Cursor(UserId),
});
