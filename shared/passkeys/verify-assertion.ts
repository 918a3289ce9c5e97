import { assertAuthenticatorData, parseAuthenticatorData } from './authenticator-data';
import { CeremonyError } from './ceremony-error';
import { checkClientData, type RelyingParty } from './client-data';
import type { AuthenticationResponse } from './fields';
import { importStoredKey, isSignedBy } from './public-key';

/** One message: who tries credential ids does not learn which of them exist. */
export const UNKNOWN = 'The passkey is unknown, or has not signed this';

/** What is known of the passkey that is said to have signed. */
export interface StoredCredential {
  /** SubjectPublicKeyInfo. */
  publicKey: Buffer;
  backupEligible: boolean;
}

export interface VerifiedAssertion {
  /** The caller takes it: until then, nothing says that it is ours. */
  challenge: string;
  signCount: number;
  backedUp: boolean;
}

/**
 * Verifies an assertion (WebAuthn level 3, section 7.2), except for the challenge, for whose passkey it is, and for the
 * signature counter.
 * @throws CeremonyError
 */
export function verifyAssertion(
  { response }: AuthenticationResponse,
  credential: StoredCredential,
  rp: RelyingParty,
): VerifiedAssertion {
  const client = checkClientData(Buffer.from(response.clientDataJSON, 'base64url'), 'webauthn.get', rp);
  const authenticatorData = Buffer.from(response.authenticatorData, 'base64url');
  const signature = Buffer.from(response.signature, 'base64url');
  const data = parseAuthenticatorData(authenticatorData);
  assertAuthenticatorData(data, rp.id);
  // It never changes in the life of a credential (section 6.1.3).
  if (data.backupEligible !== credential.backupEligible) {
    throw new CeremonyError('The passkey says otherwise than before whether it can be backed up');
  }
  if (!isSignedBy(importStoredKey(credential.publicKey), authenticatorData, client.hash, signature)) {
    throw new CeremonyError(UNKNOWN);
  }
  return { challenge: client.challenge, signCount: data.signCount, backedUp: data.backedUp };
}
