import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import type { Cbor } from './cbor';
import { CeremonyError } from './ceremony-error';

/** COSE algorithms in the order of preference: ES256, EdDSA with Ed25519 (RFC 9053, section 2), RS256 (RFC 8812, section 2). */
export const ALGORITHMS = [-7, -8, -257] as const;
const [ES256, EDDSA, RS256] = ALGORITHMS;

const P256_BYTES = 32;
const ED25519_BYTES = 32;
/** 2048 to 4096 bits: less is weak, more makes every login slow. */
const RSA_BYTES = { min: 256, max: 512 };
const RSA_EXPONENT_BYTES = 4;
/** Labels of COSE keys (RFC 9052, section 7.1; RFC 9053, section 7; RFC 8230, section 4). */
const [KTY, ALG, CRV, X, Y, N, E] = [1, 3, -1, -2, -3, -1, -2];

/** Reads a COSE key of one of the algorithms. @throws CeremonyError for any other */
export function readCoseKey(cose: Cbor): KeyObject {
  if (!(cose instanceof Map)) throw unsupported();
  const isType = (kty: number, alg: number, crv?: number) =>
    cose.get(KTY) === kty && cose.get(ALG) === alg && (crv === undefined || cose.get(CRV) === crv);
  const bytes = (label: number, min: number, max = min): string => {
    const value = cose.get(label);
    if (!Buffer.isBuffer(value) || value.length < min || value.length > max) throw unsupported();
    return value.toString('base64url');
  };
  if (isType(1, EDDSA, 6)) return importKey({ kty: 'OKP', crv: 'Ed25519', x: bytes(X, ED25519_BYTES) });
  if (isType(2, ES256, 1)) {
    return importKey({ kty: 'EC', crv: 'P-256', x: bytes(X, P256_BYTES), y: bytes(Y, P256_BYTES) });
  }
  if (isType(3, RS256)) {
    const n = bytes(N, RSA_BYTES.min, RSA_BYTES.max);
    return importKey({ kty: 'RSA', n, e: bytes(E, 1, RSA_EXPONENT_BYTES) });
  }
  throw unsupported();
}

/** Imports the point too: one that is not on the curve is refused. */
function importKey(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    throw unsupported();
  }
}

/** The COSE algorithm of a key. */
export function algorithmOf({ asymmetricKeyType: type }: KeyObject): (typeof ALGORITHMS)[number] {
  return type === 'ec' ? ES256 : type === 'ed25519' ? EDDSA : RS256;
}

/** The key as it is stored: SubjectPublicKeyInfo (RFC 5280, section 4.1). */
export function exportKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

export function importStoredKey(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

/**
 * Verifies a signature over what the authenticator signs (WebAuthn, section 6.3.3). The type of the key determines the
 * algorithm, never the message. ECDSA signatures are in DER (section 6.5.5), which is what Node.js expects.
 */
export function isSignedBy(
  key: KeyObject,
  authenticatorData: Buffer,
  clientDataHash: Buffer,
  signature: Buffer,
): boolean {
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verify(digest, Buffer.concat([authenticatorData, clientDataHash]), key, signature);
}

function unsupported(): CeremonyError {
  return new CeremonyError('The public key is not a valid key for ES256, EdDSA (Ed25519) or RS256');
}
