import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';

export const ASYMMETRIC_ALGORITHMS = ['EdDSA', 'ES256', 'RS256'] as const;
export type AsymmetricAlgorithm = (typeof ASYMMETRIC_ALGORITHMS)[number];

/** A key that verifies tokens, bound to one algorithm (RFC 8725, section 3.1). */
export interface TokenKey {
  algorithm: AsymmetricAlgorithm | 'HS256';
  /** RFC 7638. Null for a secret: its thumbprint, a hash in every token, would allow guessing it offline. */
  kid: string | null;
  jwk: JsonWebKey;
}

export interface SigningKey extends TokenKey {
  privateJwk: JsonWebKey;
}

const MIN_SECRET_BYTES = 32;
/** Typical numbers of different bytes in a secret: 30 in 32 random bytes, 14 in hexadecimal, 26 in base64, 12 in text. */
const MIN_DIFFERENT_BYTES = 8;
const MIN_RSA_BITS = 2048;
/** RFC 7638, section 3.2, and RFC 8037, section 2: the members of a thumbprint, in order. */
const THUMBPRINT_MEMBERS: Record<string, (keyof JsonWebKey)[]> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/** @throws Error describing a valid secret */
export function parseSecret(secret: string | Buffer): SigningKey {
  // RFC 7518, section 3.2: a key for HS256 must have at least the size of the hash.
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw new Error(`must be at least ${MIN_SECRET_BYTES} bytes long`);
  }
  // Only visible characters count: 32 spaces are probably the mistake of a script.
  if (secret.toString().replace(/[\s\p{C}]/gu, '').length === 0) {
    throw new Error('must not be blank: create one with openssl rand -base64 32');
  }
  const jwk = { kty: 'oct', k: Buffer.from(secret).toString('base64url') };
  return { algorithm: 'HS256', kid: null, jwk, privateJwk: jwk };
}

/** Whether a secret has so few different bytes that it can be guessed, regardless of its length. */
export function isGuessable({ algorithm, jwk }: TokenKey): boolean {
  return algorithm === 'HS256' && new Set(Buffer.from(jwk.k ?? '', 'base64url')).size < MIN_DIFFERENT_BYTES;
}

/**
 * @param text a private key as a JWK or as PEM (PKCS 8); in PEM, `\n` may replace line breaks
 * @throws Error describing a valid key, without repeating any of it
 */
export function parsePrivateKey(text: string): SigningKey {
  const key = text.includes('-----BEGIN')
    ? attempt(() => createPrivateKey(text.replaceAll('\\n', '\n')))
    : importJwk(parseJson(text), createPrivateKey);
  return { ...publicTokenKey(createPublicKey(key)), privateJwk: key.export({ format: 'jwk' }) };
}

/**
 * @param text JSON: a list of keys or a JWKS. Each is a public or private JWK, or a secret, as text or as a JWK
 * @throws Error describing valid keys
 */
export function parsePreviousKeys(text: string): TokenKey[] {
  const json = parseJson(text);
  const list = isObject(json) && !Array.isArray(json) ? json['keys'] : json;
  if (!Array.isArray(list)) throw new Error('must be a JSON list of keys, or a JWKS');
  return list.map((item: unknown) => {
    if (typeof item === 'string') return parseSecret(item);
    if (isObject(item) && item['kty'] === 'oct')
      return parseSecret(Buffer.from(String(item['k']), 'base64url'));
    return publicTokenKey(importJwk(item, createPublicKey));
  });
}

export function generatePrivateJwk(algorithm: AsymmetricAlgorithm): JsonWebKey {
  const { privateKey } = {
    EdDSA: () => generateKeyPairSync('ed25519'),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    RS256: () => generateKeyPairSync('rsa', { modulusLength: MIN_RSA_BITS }),
  }[algorithm]();
  return { ...privateKey.export({ format: 'jwk' }), alg: algorithm };
}

/** The public keys of asymmetric key pairs, as a JWKS lists them (RFC 7517, section 4). */
export function publicJwks(keys: TokenKey[]): JsonWebKey[] {
  return keys
    .filter(({ kid }) => kid !== null)
    .map(({ jwk, kid, algorithm }) => ({ ...jwk, kid, alg: algorithm, use: 'sig' }));
}

function publicTokenKey(key: KeyObject): TokenKey {
  const jwk = key.export({ format: 'jwk' });
  return { algorithm: algorithmOf(key), kid: thumbprint(jwk), jwk };
}

function algorithmOf(key: KeyObject): AsymmetricAlgorithm {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) return 'RS256';
  throw new Error(`must be a key for EdDSA (Ed25519), ES256 (P-256) or RS256 (${MIN_RSA_BITS} bits or more)`);
}

function thumbprint(jwk: JsonWebKey): string {
  const members = (THUMBPRINT_MEMBERS[jwk.kty ?? ''] ?? []).map((name) => [name, jwk[name]]);
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url');
}

function importJwk(
  jwk: unknown,
  create: (input: { key: JsonWebKey; format: 'jwk' }) => KeyObject,
): KeyObject {
  if (!isObject(jwk)) throw new Error('must be a JSON Web Key');
  const key = attempt(() => create({ key: jwk, format: 'jwk' }));
  if (jwk['alg'] !== undefined && jwk['alg'] !== algorithmOf(key)) {
    throw new Error(
      `has an "alg" other than ${algorithmOf(key)}, which is the algorithm for this type of key`,
    );
  }
  return key;
}

function parseJson(text: string): unknown {
  return attempt(() => JSON.parse(text));
}

/** Hides the original error: OpenSSL and JSON.parse quote their input, which may be a secret. */
function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error('is not a valid key in JSON or PEM');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
