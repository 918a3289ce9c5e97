import * as v from 'valibot';
import { exactly } from '../exactly';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
/** Longer than a code is with spaces. */
const code = v.pipe(text, v.maxLength(64, 'must have at most 64 characters'));

/** A mailed code, with the token that its request was answered with. */
export const MailedCodeLogin = exactly({ emailToken: text, code });

export interface MailedCode {
  emailToken: string;
  code: string;
}
