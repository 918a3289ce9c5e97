import * as v from 'valibot';
import { exactly } from '../exactly';
import { DisplayName, Email, Metadata, Username } from '../users/fields';

const fields = {
  username: v.exactOptional(Username),
  displayName: v.exactOptional(DisplayName),
  metadata: v.exactOptional(Metadata),
  pendingEmail: v.exactOptional(v.null('must be null, which gives the address up')),
  currentPassword: v.exactOptional(v.string('must be a string')),
};
/** Fields that are left out stay as they are. */
export const UserUpdateBody = exactly({ ...fields, email: v.exactOptional(Email) });
/** Where `REQUIRE_EMAIL` is false. */
export const UserUpdateBodyWithOptionalEmail = exactly({
  ...fields,
  email: v.exactOptional(v.nullable(Email)),
});
