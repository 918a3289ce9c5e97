import { type CryptoKey, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import type { Config } from '../config';
import type { TokenKey } from '../tokens/token-keys';
import { contextClassOf } from './proof';

const Claims = v.object({
  sub: v.pipe(v.string(), v.uuid()),
  sid: v.pipe(v.string(), v.uuid()),
  exp: v.number(),
  auth_time: v.optional(v.pipe(v.number(), v.integer())),
});

export interface AccessTokenSubject {
  userId: string;
  sessionId: string;
  tokenId: string;
  role: string;
  permissions: ReadonlySet<string>;
  /** Time of the last authentication; null if unknown. */
  provenAt: Date | null;
  /** Authentication methods (RFC 8176). */
  amr: readonly string[];
}

/** A JWT (RFC 7519) with the claims `iss aud sub sid jti iat exp role scope` and `amr acr auth_time` (RFC 9068, section 2.2.1). */
export async function signAccessToken(
  tokens: Config['tokens'],
  subject: AccessTokenSubject,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const { algorithm, kid, privateJwk } = tokens.signingKey;
  return new SignJWT({
    sid: subject.sessionId,
    role: subject.role,
    scope: [...subject.permissions].join(' '),
    amr: [...subject.amr],
    acr: contextClassOf(subject.amr),
    ...(subject.provenAt && { auth_time: Math.floor(subject.provenAt.getTime() / 1000) }),
  })
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(kid === null ? {} : { kid }) })
    .setIssuer(tokens.issuer)
    .setAudience(tokens.audience)
    .setSubject(subject.userId)
    .setJti(subject.tokenId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + tokens.accessSeconds)
    .sign(await importedKey(algorithm, privateJwk));
}

export interface VerifiedToken {
  userId: string;
  sessionId: string;
  provenAt: Date | null;
}

const MAX_KNOWN = 1_000;
/**
 * Tokens that were verified, by the keys and names that they were verified with: computing a signature is a quarter of the
 * work of `GET /users/me`. Whether the session still exists is read at every request.
 */
const knownTokens = new WeakMap<Config['tokens'], Map<string, KnownToken>>();

interface KnownToken extends VerifiedToken {
  /** In seconds, as the token has it. */
  expiresAt: number;
}

/** Verifies a token. @returns null if it is not a valid token of this service */
export async function verifyAccessToken(
  tokens: Config['tokens'],
  token: string,
  now: Date,
): Promise<VerifiedToken | null> {
  const known = knownTokens.get(tokens) ?? new Map<string, KnownToken>();
  knownTokens.set(tokens, known);
  const remembered = known.get(token);
  if (remembered && remembered.expiresAt > Math.floor(now.getTime() / 1000)) return remembered;
  known.delete(token);
  const verified = await verifySignature(tokens, token, now);
  // Only valid ones: nobody can fill it with others.
  if (verified) known.set(token, verified);
  const [oldest] = known.keys();
  if (known.size > MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  return verified;
}

async function verifySignature(
  tokens: Config['tokens'],
  token: string,
  now: Date,
): Promise<KnownToken | null> {
  for (const key of keysFor(tokens, token)) {
    try {
      const { payload } = await jwtVerify(token, await importedKey(key.algorithm, key.jwk), {
        // RFC 8725, section 3.1: the key determines the algorithm, never the token.
        algorithms: [key.algorithm],
        issuer: tokens.issuer,
        audience: tokens.audience,
        currentDate: now,
        requiredClaims: ['exp', 'iat', 'jti'],
      });
      const claims = v.safeParse(Claims, payload);
      if (!claims.success) continue;
      const { sub, sid, exp, auth_time: authTime } = claims.output;
      const provenAt = authTime === undefined ? null : new Date(authTime * 1000);
      return { userId: sub, sessionId: sid, provenAt, expiresAt: exp };
    } catch {
      // Signed with another key. Secrets have no `kid`, so during a rotation there are two to try.
    }
  }
  return null;
}

/** Our keys that match the token's `kid` and `alg`. The token cannot choose another algorithm than the key's. */
function keysFor(tokens: Config['tokens'], token: string): TokenKey[] {
  try {
    const { alg, kid = null } = decodeProtectedHeader(token);
    return [tokens.signingKey, ...tokens.previousKeys].filter(
      (key) => key.algorithm === alg && key.kid === kid,
    );
  } catch {
    return [];
  }
}

type Jwk = TokenKey['jwk'];
const importedKeys = new WeakMap<Jwk, Promise<CryptoKey>>();

/** Imports each key once per container, at its first use. */
function importedKey(algorithm: TokenKey['algorithm'], jwk: Jwk): Promise<CryptoKey> {
  const known = importedKeys.get(jwk);
  if (known) return known;
  const importing = importKey(algorithm, jwk);
  importedKeys.set(jwk, importing);
  return importing;
}

async function importKey(algorithm: TokenKey['algorithm'], jwk: Jwk): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (!(key instanceof Uint8Array)) return key;
  // A copy, because the type allows shared memory, which cannot be imported.
  return crypto.subtle.importKey('raw', new Uint8Array(key), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ]);
}
