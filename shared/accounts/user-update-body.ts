import * as v from 'valibot';
import { exactly } from '../exactly';
import { DisplayName, Email, Metadata, Username } from '../users/fields';

const fields = {
  username: v.exactOptional(Username),
  displayName: v.exactOptional(DisplayName),
  metadata: v.exactOptional(Metadata),
  pendingEmail: v.exactOptional(v.null('must be null, which cancels the change')),
  emailVerified: v.exactOptional(v.literal(true, 'must be true, which verifies the address')),
  currentPassword: v.exactOptional(v.string('must be a string')),
};
/** Omitted fields keep their values. */
export const UserUpdateBody = exactly({ ...fields, email: v.exactOptional(Email) });
/** If `REQUIRE_EMAIL` is false. */
export const UserUpdateBodyWithOptionalEmail = exactly({
  ...fields,
  email: v.exactOptional(v.nullable(Email)),
});
