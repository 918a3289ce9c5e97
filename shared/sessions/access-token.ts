import { jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import type { Config } from '../config';

const ALGORITHM = 'HS256';

const Claims = v.object({ sub: v.pipe(v.string(), v.uuid()), sid: v.pipe(v.string(), v.uuid()) });

export interface AccessTokenSubject {
  userId: string;
  sessionId: string;
  tokenId: string;
  role: string;
  permissions: ReadonlySet<string>;
}

/** A JWT (RFC 7519) with the claims `iss aud sub sid jti iat exp role scope`. */
export function signAccessToken(
  tokens: Config['tokens'],
  subject: AccessTokenSubject,
  now: Date,
): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({
    sid: subject.sessionId,
    role: subject.role,
    scope: [...subject.permissions].join(' '),
  })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(tokens.issuer)
    .setAudience(tokens.audience)
    .setSubject(subject.userId)
    .setJti(subject.tokenId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + tokens.accessSeconds)
    .sign(secretKey(tokens));
}

/** The user and session that a token was issued for, or null for anything but a valid token of ours. */
export async function verifyAccessToken(
  tokens: Config['tokens'],
  token: string,
  now: Date,
): Promise<{ userId: string; sessionId: string } | null> {
  try {
    const { payload } = await jwtVerify(token, secretKey(tokens), {
      // RFC 8725, section 3.1: the algorithm is ours to choose, never the token's.
      algorithms: [ALGORITHM],
      issuer: tokens.issuer,
      audience: tokens.audience,
      currentDate: now,
      requiredClaims: ['exp', 'iat', 'jti'],
    });
    const claims = v.safeParse(Claims, payload);
    return claims.success ? { userId: claims.output.sub, sessionId: claims.output.sid } : null;
  } catch {
    return null;
  }
}

function secretKey(tokens: Config['tokens']): Uint8Array {
  return new TextEncoder().encode(tokens.secret);
}
