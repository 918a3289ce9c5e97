import { createHash } from 'node:crypto';
import { type Cbor, decodeCbor } from './cbor';
import { CeremonyError } from './ceremony-error';

/** Authenticator data (WebAuthn level 3, section 6.1). */
export interface AuthenticatorData {
  rpIdHash: Buffer;
  userPresent: boolean;
  userVerified: boolean;
  backupEligible: boolean;
  backedUp: boolean;
  signCount: number;
  /** The new credential, at a registration. */
  attested: { credentialId: Buffer; publicKey: Cbor } | null;
}

const FLAGS = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10 };
const [ATTESTED, EXTENSIONS] = [0x40, 0x80];
const [HASH_BYTES, HEAD_BYTES, AAGUID_BYTES, LENGTH_BYTES] = [32, 37, 16, 2];
/** Section 5.8.2: what every relying party has to be able to store. */
const MAX_CREDENTIAL_ID_BYTES = 1023;

/** @throws CeremonyError if it is truncated, or has more than its flags say */
export function parseAuthenticatorData(bytes: Buffer): AuthenticatorData {
  if (bytes.length < HEAD_BYTES) throw malformed();
  const flags = bytes.readUInt8(HASH_BYTES);
  const has = (flag: number) => (flags & flag) !== 0;
  let end = HEAD_BYTES;
  let attested: AuthenticatorData['attested'] = null;
  if (has(ATTESTED)) {
    const idAt = end + AAGUID_BYTES + LENGTH_BYTES;
    if (bytes.length < idAt) throw malformed();
    const keyAt = idAt + bytes.readUInt16BE(idAt - LENGTH_BYTES);
    if (keyAt === idAt || keyAt - idAt > MAX_CREDENTIAL_ID_BYTES || bytes.length < keyAt) throw malformed();
    const { value: publicKey, end: keyEnd } = decodeCbor(bytes, keyAt);
    attested = { credentialId: bytes.subarray(idAt, keyAt), publicKey };
    end = keyEnd;
  }
  if (has(EXTENSIONS)) {
    const extensions = decodeCbor(bytes, end);
    if (!(extensions.value instanceof Map)) throw malformed();
    end = extensions.end;
  }
  if (end !== bytes.length) throw malformed();
  return {
    rpIdHash: bytes.subarray(0, HASH_BYTES),
    userPresent: has(FLAGS.userPresent),
    userVerified: has(FLAGS.userVerified),
    backupEligible: has(FLAGS.backupEligible),
    backedUp: has(FLAGS.backedUp),
    signCount: bytes.readUInt32BE(HASH_BYTES + 1),
    attested,
  };
}

/** The checks that a registration and an authentication share (sections 7.1 and 7.2). @throws CeremonyError */
export function assertAuthenticatorData(data: AuthenticatorData, rpId: string): void {
  if (!data.rpIdHash.equals(createHash('sha256').update(rpId).digest())) {
    throw new CeremonyError('The passkey is for another relying party id');
  }
  if (!data.userPresent) throw new CeremonyError('The authenticator has not seen the user');
  if (!data.userVerified) throw new CeremonyError('The authenticator has not verified the user');
  if (data.backedUp && !data.backupEligible) throw malformed();
}

function malformed(): CeremonyError {
  return new CeremonyError('The authenticator data is not well-formed');
}
