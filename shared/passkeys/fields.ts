import * as v from 'valibot';
import { maxCharacters } from '../characters';
import { exactly } from '../exactly';

// The shapes of `PublicKeyCredential.toJSON()` (WebAuthn level 3, section 5.1). A page sends on what the browser has made, so
// members that are not known here are ignored instead of refused.

/** base64url without padding, as `toJSON` writes it. */
const bytes = (maxLength: number) =>
  v.pipe(
    v.string('must be a string'),
    v.regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding'),
    v.maxLength(maxLength, `must have at most ${maxLength} characters`),
  );
/** Of 1023 bytes. */
const credentialId = bytes(1364);
const clientDataJSON = bytes(8192);

/** What both have beside the response. `rawId` is the same as `id`: `toJSON` writes both in base64url. */
const credentialOf = <R extends v.ObjectEntries>(response: R) =>
  v.pipe(
    v.object(
      {
        id: credentialId,
        rawId: credentialId,
        type: v.literal('public-key', 'must be public-key'),
        response: v.object(response, 'must be a JSON object'),
      },
      'must be a JSON object',
    ),
    v.check(({ id, rawId }) => id === rawId, 'must have the same id and rawId'),
  );

/** `RegistrationResponseJSON`. */
const RegistrationResponse = credentialOf({
  clientDataJSON,
  attestationObject: bytes(16_384),
  transports: v.optional(v.array(v.string('must be a string'), 'must be a list')),
});
export type RegistrationResponse = v.InferOutput<typeof RegistrationResponse>;

/** `AuthenticationResponseJSON`. */
export const AuthenticationResponse = credentialOf({
  clientDataJSON,
  authenticatorData: bytes(8192),
  signature: bytes(1024),
  userHandle: v.nullish(bytes(86)),
});
export type AuthenticationResponse = v.InferOutput<typeof AuthenticationResponse>;

const name = v.pipe(
  v.string('must be a string'),
  v.trim(),
  v.minLength(1, 'must not be empty'),
  ...maxCharacters(100),
);

/** A new passkey. */
export const NewPasskey = exactly({ name: v.optional(name, 'Passkey'), credential: RegistrationResponse });

/** Another name for a passkey. */
export const PasskeyName = exactly({ name });

/** A login with a passkey. */
export const PasskeyLogin = exactly({ assertion: AuthenticationResponse });
