import * as v from 'valibot';
import { exactly } from '../exactly';
import type { LoginName } from './password-store';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
/** The body of a login with a password. */
export const PasswordLogin = v.pipe(
  exactly({ username: v.optional(text), email: v.optional(text), password: text }),
  v.check(
    ({ username, email }) => (username === undefined) !== (email === undefined),
    'must have either a username or an email',
  ),
);

/** The name in such a body, which has one of the two. */
export function loginNameOf({ username = '', email }: v.InferOutput<typeof PasswordLogin>): LoginName {
  return email === undefined ? { username } : { email };
}
