import type { KeyObject } from 'node:crypto';
import { assertAuthenticatorData, parseAuthenticatorData } from './authenticator-data';
import { type CborMap, decodeCbor } from './cbor';
import { CeremonyError } from './ceremony-error';
import { checkClientData, type RelyingParty } from './client-data';
import type { RegistrationResponse } from './fields';
import { algorithmOf, exportKey, isSignedBy, readCoseKey } from './public-key';

export interface VerifiedRegistration {
  /** The caller takes it: until then, nothing says that it is ours. */
  challenge: string;
  credentialId: Buffer;
  /** SubjectPublicKeyInfo. */
  publicKey: Buffer;
  signCount: number;
  backupEligible: boolean;
  backedUp: boolean;
}

/**
 * Verifies a registration (WebAuthn level 3, section 7.1), except for the challenge. Everything is read from the client data
 * and the attestation object. `publicKey`, `publicKeyAlgorithm` and `authenticatorData`, which browsers send along, are
 * copies that a script may have changed, and are not read.
 * @throws CeremonyError
 */
export function verifyRegistration(response: RegistrationResponse, rp: RelyingParty): VerifiedRegistration {
  const { clientDataJSON, attestationObject } = response.response;
  const client = checkClientData(Buffer.from(clientDataJSON, 'base64url'), 'webauthn.create', rp);
  const { authData, statement, format } = readAttestation(Buffer.from(attestationObject, 'base64url'));
  const data = parseAuthenticatorData(authData);
  assertAuthenticatorData(data, rp.id);
  if (!data.attested) throw new CeremonyError('The authenticator data has no public key');
  const { credentialId } = data.attested;
  if (credentialId.toString('base64url') !== response.id) {
    throw new CeremonyError('The id is not that of the credential');
  }
  const key = readCoseKey(data.attested.publicKey);
  assertAttestation(format, statement, key, authData, client.hash);
  const { signCount, backupEligible, backedUp } = data;
  return {
    challenge: client.challenge,
    credentialId,
    publicKey: exportKey(key),
    signCount,
    backupEligible,
    backedUp,
  };
}

/** Section 6.5.4. */
function readAttestation(bytes: Buffer): { authData: Buffer; statement: CborMap; format: string } {
  const { value, end } = decodeCbor(bytes);
  const [format, statement, authData] =
    value instanceof Map ? [value.get('fmt'), value.get('attStmt'), value.get('authData')] : [];
  const isComplete = typeof format === 'string' && statement instanceof Map && Buffer.isBuffer(authData);
  if (!isComplete || end !== bytes.length) {
    throw new CeremonyError('The attestation object is not well-formed');
  }
  return { authData, statement, format };
}

/**
 * We ask for no attestation, and trust none. A browser then sends the format `none`, or leaves a self-attestation as it is
 * (section 5.1.3): a signature by the new key itself (section 8.2).
 */
function assertAttestation(
  format: string,
  statement: CborMap,
  key: KeyObject,
  authData: Buffer,
  clientDataHash: Buffer,
): void {
  if (format === 'none' && statement.size === 0) return;
  const [algorithm, signature] = [statement.get('alg'), statement.get('sig')];
  const isSelf = format === 'packed' && !statement.has('x5c') && Buffer.isBuffer(signature);
  const isSigned =
    isSelf && algorithm === algorithmOf(key) && isSignedBy(key, authData, clientDataHash, signature);
  if (!isSigned) throw new CeremonyError('The attestation is neither none nor a self-attestation');
}
