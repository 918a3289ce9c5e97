import * as v from 'valibot';
import { exactly } from '../exactly';
import { Code, CodeType, type FactorCode } from '../factors/fields';
import type { MailedCode } from '../mailed-codes/fields';
import { AuthenticationResponse } from '../passkeys/fields';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));

/** The second step of a login: a code, or an assertion of a passkey. The first schema knows all fields, to name all others. */
export const FactorLogin = v.pipe(
  exactly({
    factorToken: text,
    type: v.picklist([...CodeType.options, 'passkey'], 'must be totp, recovery_code or passkey'),
    code: v.optional(Code),
    assertion: v.optional(AuthenticationResponse),
  }),
  v.variant('type', [
    exactly({ factorToken: text, type: CodeType, code: Code }),
    exactly({ factorToken: text, type: v.literal('passkey'), assertion: AuthenticationResponse }),
  ]),
);

/** What can be sent as the second step. */
export type SentFactor = FactorCode | { type: 'passkey'; assertion: AuthenticationResponse };

/** Proof of a first factor (a password or a mailed code), of a second factor, or of both; a passkey is both. */
export const StepUpProof = v.pipe(
  exactly({
    password: v.optional(text),
    emailToken: v.optional(text),
    emailCode: v.optional(Code),
    type: v.optional(CodeType, 'totp'),
    code: v.optional(Code),
    assertion: v.optional(AuthenticationResponse),
  }),
  v.check(
    ({ password, emailToken, code, assertion }) =>
      (assertion === undefined) !== [password, emailToken, code].every((part) => part === undefined),
    'must have a password or a mailed code, a code of a second factor or both, or an assertion alone',
  ),
  v.check(
    ({ password, emailToken }) => password === undefined || emailToken === undefined,
    'must not have both a password and a mailed code',
  ),
  v.check(
    ({ emailToken, emailCode }) => (emailToken === undefined) === (emailCode === undefined),
    'must have emailToken and emailCode, or neither',
  ),
  v.transform(({ password, emailToken, emailCode, type, code, assertion = null }) => ({
    first: password === undefined ? mailedCode(emailToken, emailCode) : { password },
    factor: code === undefined ? null : { type, code },
    assertion,
  })),
);

function mailedCode(emailToken?: string, code?: string): MailedCode | null {
  return emailToken === undefined || code === undefined ? null : { emailToken, code };
}
