import * as v from 'valibot';
import { exactly } from '../exactly';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));

/** A code of `POST /login/code`. */
export const Code = text;

/** SHA-256 of the verifier in base64url: the method S256 (RFC 7636, section 4.2). `plain` is not supported. */
export const CodeChallenge = v.pipe(
  v.string('must be a string'),
  v.regex(/^[\w-]{43}$/, 'must be a SHA-256 in base64url, without padding'),
);

/** The exchange of a code. */
export const CodeExchange = exactly({
  code: Code,
  returnTo: text,
  codeVerifier: v.optional(v.pipe(text, v.maxLength(128, 'must have at most 128 characters'))),
});
