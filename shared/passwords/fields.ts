import * as v from 'valibot';
import { characters } from '../characters';
import { fold, isCommonPassword } from './common';
import { MAX_PASSWORD_BYTES, preparePassword } from './hash';
import { isPattern } from './patterns';

export const MIN_PASSWORD_CHARACTERS = 8;

const isTooLong = (password: string) => Buffer.byteLength(preparePassword(password)) > MAX_PASSWORD_BYTES;

/** In the form in which it is hashed: that is what has the length. */
export const NewPassword = v.pipe(
  v.string('must be a string'),
  // For clients that check before they send. Bytes are never fewer than characters.
  v.metadata({ format: 'password', minLength: MIN_PASSWORD_CHARACTERS, maxLength: MAX_PASSWORD_BYTES }),
  v.check(
    (value) => characters(preparePassword(value)) >= MIN_PASSWORD_CHARACTERS,
    `must be at least ${MIN_PASSWORD_CHARACTERS} characters`,
  ),
  v.check((value) => !isTooLong(value), `must be at most ${MAX_PASSWORD_BYTES} bytes of UTF-8`),
  v.check(
    (value) => isTooLong(value) || !isCommonPassword(value),
    'must not be one of the most common passwords',
  ),
  v.transform(preparePassword),
);

/** Names that an attacker knows. */
interface Names {
  username: string;
  email: string | null;
  appName: string;
}

/** Shorter ones are in too many words. */
const MIN_NAME = 3;
/** What may be left of a password without a name: so few characters, or so many digits and signs, make it no better. */
const MAX_REST = 4;
const MAX_DIGITS = 8;

/** Whether a password is made of a name: the username, the address, its mailbox or the service, and little more. */
export function repeatsName(password: string, { username, email, appName }: Names): boolean {
  const folded = fold(password);
  const mailbox = email?.replace(/@.*$/, '') ?? '';
  const names = [username, email ?? '', mailbox, mailbox.replace(/\+.*$/, ''), appName].map(fold);
  // Without what separates its parts, too: jo.doe, jodoe1.
  return [...names, ...names.map((name) => name.replace(/[^\p{L}\p{N}]/gu, ''))].some((name) => {
    if (characters(name) < MIN_NAME || !folded.includes(name)) return false;
    const rest = folded.replaceAll(name, '');
    const length = characters(rest);
    return length <= MAX_REST || (length <= MAX_DIGITS && !/\p{L}/u.test(rest)) || isPattern(rest);
  });
}

export const REPEATS_NAME = 'must not be made of the username, the email address or the name of the service';
