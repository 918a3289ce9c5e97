import * as v from 'valibot';
import { characters } from '../characters';
import { fold, isCommonPassword } from './common';
import { MAX_BCRYPT_BYTES, preparePassword } from './hash';
import { isPattern } from './patterns';

export const MIN_CHARACTERS = 8;
const MAX_CHARACTERS = 256;

const isTooLong = (password: string) => characters(preparePassword(password)) > MAX_CHARACTERS;

/** Limits apply to the prepared form, which is the one that is hashed. bcrypt's own limit depends on the configuration. */
export const NewPassword = v.pipe(
  v.string('must be a string'),
  // For clients that validate first.
  v.metadata({
    format: 'password',
    minLength: MIN_CHARACTERS,
    maxLength: MAX_CHARACTERS,
    description: `At most ${MAX_BCRYPT_BYTES} bytes of UTF-8 if the service hashes with bcrypt`,
  }),
  v.check(
    (value) => characters(preparePassword(value)) >= MIN_CHARACTERS,
    `must be at least ${MIN_CHARACTERS} characters`,
  ),
  v.check((value) => !isTooLong(value), `must be at most ${MAX_CHARACTERS} characters`),
  v.check(
    (value) => isTooLong(value) || !isCommonPassword(value),
    'must not be one of the most common passwords',
  ),
  v.transform(preparePassword),
);

/** Names that an attacker knows or can guess. */
interface Names {
  username: string;
  email: string | null;
  /** What belongs to the service, as its name. */
  contextWords: readonly string[];
}

/** Shorter names occur in too many words. */
const MIN_NAME = 3;
/** Without the name, a password with at most this many characters, or digits and signs, is still too weak. */
const MAX_REST = 4;
const MAX_DIGITS = 8;

/** Whether a password is little more than the username, the address, its mailbox or a word that belongs to the service. */
export function repeatsName(password: string, { username, email, contextWords }: Names): boolean {
  const folded = fold(password);
  const mailbox = email?.replace(/@.*$/, '') ?? '';
  const names = [username, email ?? '', mailbox, mailbox.replace(/\+.*$/, ''), ...contextWords].map(fold);
  // Also without separators: jodoe1 for jo.doe.
  return [...names, ...names.map((name) => name.replace(/[^\p{L}\p{N}]/gu, ''))].some((name) => {
    if (characters(name) < MIN_NAME || !folded.includes(name)) return false;
    const rest = folded.replaceAll(name, '');
    const length = characters(rest);
    return length <= MAX_REST || (length <= MAX_DIGITS && !/\p{L}/u.test(rest)) || isPattern(rest);
  });
}

export const REPEATS_NAME = 'must not be based on the username, the email address or the name of the service';
