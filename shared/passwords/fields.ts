import * as v from 'valibot';
import { characters } from '../characters';
import { isCommonPassword } from './common';
import { MAX_PASSWORD_BYTES, preparePassword } from './hash';

export const MIN_PASSWORD_CHARACTERS = 8;

/** In the form in which it is hashed: that is what has the length. */
export const NewPassword = v.pipe(
  v.string('must be a string'),
  // For clients that check before they send. Bytes are never fewer than characters.
  v.metadata({ format: 'password', minLength: MIN_PASSWORD_CHARACTERS, maxLength: MAX_PASSWORD_BYTES }),
  v.check(
    (value) => characters(preparePassword(value)) >= MIN_PASSWORD_CHARACTERS,
    `must be at least ${MIN_PASSWORD_CHARACTERS} characters`,
  ),
  v.check(
    (value) => Buffer.byteLength(preparePassword(value)) <= MAX_PASSWORD_BYTES,
    `must be at most ${MAX_PASSWORD_BYTES} bytes of UTF-8`,
  ),
  v.check((value) => !isCommonPassword(value), 'must not be one of the most common passwords'),
  v.transform(preparePassword),
);

/** Whether a password merely repeats what everyone can see. */
export function repeatsName(password: string, names: { username: string; email: string | null }): boolean {
  const folded = password.toLowerCase();
  return folded === names.username.toLowerCase() || folded === names.email?.toLowerCase();
}

export const REPEATS_NAME = 'must not be the username or the e-mail address';
