import * as v from 'valibot';
import { exactly } from '../exactly';

const text = v.pipe(v.string('must be a string'), v.minLength(1, 'must not be empty'));
/** Longer than any code is with spaces and hyphens. */
const code = v.pipe(text, v.maxLength(64, 'must have at most 64 characters'));
const type = v.picklist(['totp', 'recovery_code'], 'must be totp or recovery_code');

/** A code of an authenticator app. */
export const TotpCode = exactly({ code });

/** The second step of a login. */
export const FactorLogin = exactly({ factorToken: text, type, code });

/** Proof of a password, of a second factor, or of both. */
export const StepUpProof = v.pipe(
  exactly({ password: v.optional(text), type: v.optional(type, 'totp'), code: v.optional(code) }),
  v.check(
    ({ password, code }) => password !== undefined || code !== undefined,
    'must have a password, a code or both',
  ),
);

/** A code as the second factor. */
export interface FactorCode {
  type: v.InferOutput<typeof type>;
  code: string;
}
