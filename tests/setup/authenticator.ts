import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { type CborValue, encodeCbor } from './cbor';

// A browser and an authenticator in software, by WebAuthn level 3 alone: it shares no code with what it tests. Each part of
// what it sends can be wrong.

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256';
export const ORIGIN = 'http://localhost:3000';

/** What differs from an honest ceremony. */
export interface Misbehaviour {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  /** Further members of the client data. */
  clientData?: Record<string, unknown>;
  /** The bytes that are signed, in the place of the client data's. */
  clientDataBytes?: Buffer;
  userPresent?: boolean;
  userVerified?: boolean;
  backupEligible?: boolean;
  backedUp?: boolean;
  signCount?: number;
  extensions?: CborValue;
  /** Changes the authenticator data before it is signed. */
  authenticatorData?(bytes: Buffer): Buffer;
  /** Changes the COSE key. */
  coseKey?(key: Map<number | string, CborValue>): CborValue;
  /** Changes the attestation object. */
  attestation?(object: Map<number | string, CborValue>, authData: Buffer, clientDataHash: Buffer): CborValue;
  /** Changes the signature after it was made. */
  signature?(bytes: Buffer): Buffer;
  userHandle?: string | null;
  credentialId?: Buffer;
}

interface CreationOptions {
  rp: { id: string };
  user: { id: string };
  challenge: string;
}

interface RequestOptions {
  rpId: string;
  challenge: string;
}

export interface RegistrationJSON {
  id: string;
  rawId: string;
  type: string;
  authenticatorAttachment: string;
  clientExtensionResults: object;
  response: {
    clientDataJSON: string;
    attestationObject: string;
    authenticatorData: string;
    transports: string[];
    publicKey: string;
    publicKeyAlgorithm: number;
  };
}

export interface AuthenticationJSON {
  id: string;
  rawId: string;
  type: string;
  authenticatorAttachment: string;
  clientExtensionResults: object;
  response: {
    clientDataJSON: string;
    authenticatorData: string;
    signature: string;
    userHandle?: string | null;
  };
}

const KEYS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const COSE = { ES256: -7, EdDSA: -8, RS256: -257 };

const base64url = (bytes: Buffer) => bytes.toString('base64url');
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest();
const uint = (value: number, bytes: number) =>
  Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex').subarray(-bytes);

/** An authenticator with one credential, whose counter rises with each signature. */
export class SoftwareAuthenticator {
  credentialId = randomBytes(32);
  userHandle = '';
  signCount = 0;
  readonly publicKey: KeyObject;
  readonly #privateKey: KeyObject;

  constructor(readonly algorithm: Algorithm = 'ES256') {
    const { publicKey, privateKey } = KEYS[algorithm]();
    this.publicKey = publicKey;
    this.#privateKey = privateKey;
  }

  /** What `navigator.credentials.create(…)` and `toJSON()` return. */
  register(options: CreationOptions, wrong: Misbehaviour = {}): RegistrationJSON {
    this.userHandle = options.user.id;
    const id = wrong.credentialId ?? this.credentialId;
    const client = clientDataOf('webauthn.create', options.challenge, wrong);
    const cose = this.#coseKey();
    const attested = Buffer.concat([
      Buffer.alloc(16),
      uint(id.length, 2),
      id,
      encodeCbor(wrong.coseKey?.(cose) ?? cose),
    ]);
    const authData = this.#authenticatorData(options.rp.id, attested, wrong);
    const object = new Map<number | string, CborValue>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', authData],
    ]);
    return {
      ...credentialOf(id),
      response: {
        clientDataJSON: base64url(client),
        attestationObject: base64url(
          encodeCbor(wrong.attestation?.(object, authData, sha256(client)) ?? object),
        ),
        authenticatorData: base64url(authData),
        transports: ['internal', 'hybrid'],
        publicKey: base64url(this.publicKey.export({ type: 'spki', format: 'der' })),
        publicKeyAlgorithm: COSE[this.algorithm],
      },
    };
  }

  /** What `navigator.credentials.get(…)` and `toJSON()` return. */
  authenticate(options: RequestOptions, wrong: Misbehaviour = {}): AuthenticationJSON {
    const client = clientDataOf('webauthn.get', options.challenge, wrong);
    const authData = this.#authenticatorData(options.rpId, null, wrong);
    const signature = this.sign(authData, sha256(client));
    const userHandle = wrong.userHandle === undefined ? this.userHandle : wrong.userHandle;
    return {
      ...credentialOf(wrong.credentialId ?? this.credentialId),
      response: {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(authData),
        signature: base64url(wrong.signature?.(signature) ?? signature),
        ...(userHandle !== null && { userHandle }),
      },
    };
  }

  sign(authData: Buffer, clientDataHash: Buffer): Buffer {
    const digest = this.algorithm === 'EdDSA' ? null : 'sha256';
    return sign(digest, Buffer.concat([authData, clientDataHash]), this.#privateKey);
  }

  #authenticatorData(rpId: string, attested: Buffer | null, wrong: Misbehaviour): Buffer {
    const { userPresent = true, userVerified = true, backupEligible = true, backedUp = true } = wrong;
    const bits = [userPresent, false, userVerified, backupEligible, backedUp, false];
    const flags = [...bits, attested !== null, wrong.extensions !== undefined];
    const data = Buffer.concat([
      sha256(wrong.rpId ?? rpId),
      uint(Number.parseInt(flags.map(Number).reverse().join(''), 2), 1),
      uint(wrong.signCount ?? this.signCount++, 4),
      attested ?? Buffer.alloc(0),
      wrong.extensions === undefined ? Buffer.alloc(0) : encodeCbor(wrong.extensions),
    ]);
    return wrong.authenticatorData?.(data) ?? data;
  }

  #coseKey(): Map<number | string, CborValue> {
    const { x = '', y = '', n = '', e = '' } = this.publicKey.export({ format: 'jwk' });
    const bytes = (text: string) => Buffer.from(text, 'base64url');
    const alg = COSE[this.algorithm];
    switch (this.algorithm) {
      case 'ES256':
        return new Map<number, CborValue>([
          [1, 2],
          [3, alg],
          [-1, 1],
          [-2, bytes(x)],
          [-3, bytes(y)],
        ]);
      case 'EdDSA':
        return new Map<number, CborValue>([
          [1, 1],
          [3, alg],
          [-1, 6],
          [-2, bytes(x)],
        ]);
      case 'RS256':
        return new Map<number, CborValue>([
          [1, 3],
          [3, alg],
          [-1, bytes(n)],
          [-2, bytes(e)],
        ]);
    }
  }
}

function clientDataOf(type: string, challenge: string, wrong: Misbehaviour): Buffer {
  const data = {
    type: wrong.type ?? type,
    challenge: wrong.challenge ?? challenge,
    origin: wrong.origin ?? ORIGIN,
    crossOrigin: false,
    ...wrong.clientData,
  };
  return wrong.clientDataBytes ?? Buffer.from(JSON.stringify(data));
}

function credentialOf(id: Buffer) {
  return {
    id: base64url(id),
    rawId: base64url(id),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    clientExtensionResults: { credProps: { rk: true } },
  };
}
