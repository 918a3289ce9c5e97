import * as v from 'valibot';
import { exactly } from '../exactly';
import { NewPassword, REPEATS_NAME, repeatsName } from '../passwords/fields';
import { DisplayName, Email, Metadata, Username } from '../users/fields';

const OptionalEmail = v.optional(v.nullable(Email), null);
const Role = v.optional(v.string('must be a string'));
/** Anonymous callers get the same error as for an unknown field. */
const NoRole = v.optional(v.never('is not a known field'));

interface BodyConfig {
  users: { requireEmail: boolean };
  hasEmailLogin: boolean;
  passwords: { contextWords: readonly string[] };
}

/** For the documentation. */
export const DEFAULT_CONFIG: BodyConfig = {
  users: { requireEmail: true },
  hasEmailLogin: false,
  passwords: { contextWords: [] },
};

/** The body of a registration, depending on the configuration and the caller. */
/* @__NO_SIDE_EFFECTS__ */
export function registrationBody({ users, hasEmailLogin, passwords }: BodyConfig, anonymous: boolean) {
  return v.pipe(
    exactly({
      username: Username,
      email: users.requireEmail ? Email : OptionalEmail,
      password: hasEmailLogin ? v.optional(NewPassword) : NewPassword,
      displayName: v.optional(DisplayName, null),
      metadata: v.optional(Metadata, {}),
      role: anonymous ? NoRole : Role,
    }),
    v.forward(
      v.partialCheck(
        [['username'], ['email'], ['password']],
        ({ password, ...names }) =>
          password === undefined || !repeatsName(password, { ...names, ...passwords }),
        REPEATS_NAME,
      ),
      ['password'],
    ),
    v.check(
      ({ email, password }) => email !== null || password !== undefined,
      'must have a password or an email address, to sign in with',
    ),
    v.transform(({ role = 'user', password = null, ...body }) => ({ ...body, role, password })),
  );
}
