import * as v from 'valibot';
import { exactly } from '../exactly';

/** Longer than any code is with spaces and hyphens. */
export const Code = v.pipe(
  v.string('must be a string'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(64, 'must have at most 64 characters'),
);
export const CodeType = v.picklist(['totp', 'recovery_code'], 'must be totp or recovery_code');

/** A code of an authenticator app. */
export const TotpCode = exactly({ code: Code });

/** A code as the second factor. */
export interface FactorCode {
  type: v.InferOutput<typeof CodeType>;
  code: string;
}
