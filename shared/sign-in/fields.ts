import * as v from 'valibot';
import { exactly } from '../exactly';
import { Code, CodeType, type FactorCode } from '../factors/fields';
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

/** Proof of a password, of a second factor, or of both; a passkey is both. */
export const StepUpProof = v.pipe(
  exactly({
    password: v.optional(text),
    type: v.optional(CodeType, 'totp'),
    code: v.optional(Code),
    assertion: v.optional(AuthenticationResponse),
  }),
  v.check(
    ({ password, code, assertion }) =>
      (assertion === undefined) !== (password === undefined && code === undefined),
    'must have a password, a code or both, or an assertion alone',
  ),
);
