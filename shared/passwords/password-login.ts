import * as v from 'valibot';
import { exactly } from '../exactly';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
/** The body of a login with a password. */
export const PasswordLogin = v.pipe(
  exactly({ username: v.optional(text), email: v.optional(text), password: text }),
  v.check(
    ({ username, email }) => (username === undefined) !== (email === undefined),
    'must have either a username or an email',
  ),
);
