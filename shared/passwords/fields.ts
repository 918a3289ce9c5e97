import * as v from 'valibot';

const MIN_CHARACTERS = 8;
// bcrypt reads no more than 72 bytes. Cutting silently would let a prefix of the password log in.
export const MAX_PASSWORD_BYTES = 72;

export const NewPassword = v.pipe(
  v.string('must be a string'),
  v.check((value) => [...value].length >= MIN_CHARACTERS, `must be at least ${MIN_CHARACTERS} characters`),
  v.check(
    (value) => Buffer.byteLength(value) <= MAX_PASSWORD_BYTES,
    `must be at most ${MAX_PASSWORD_BYTES} bytes of UTF-8`,
  ),
);

/** Whether a password merely repeats what everyone can see. */
export function repeatsName(password: string, names: { username: string; email: string | null }): boolean {
  const folded = password.toLowerCase();
  return folded === names.username.toLowerCase() || folded === names.email?.toLowerCase();
}

export const REPEATS_NAME = 'must not be the username or the e-mail address';
