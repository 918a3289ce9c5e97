import { createHash } from 'node:crypto';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import { findPassword } from '../passwords/password-store';
import type { FirstFactorProof } from '../sessions/proof';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { lockUserRow } from '../users/user-store';
import { insertChallenge } from './challenge-store';

const CHALLENGE_MS = 5 * 60 * 1000;

/**
 * Stores that the first factor was right, until the user sends the second one. Bound to the user's password and to nothing
 * else: between the two requests a phone changes its address, and a browser may become another one.
 * @returns `second_factor_required`, with the token that stands for the first factor; null if the password's hash was replaced
 * since the check
 */
export async function challengeFactor(ctx: Context, proof: FirstFactorProof): Promise<DomainError | null> {
  const factorToken = newOpaqueToken();
  const challenge = { userId: proof.user.id, passwordDigest: digestOf(proof.hash), amr: proof.amr };
  const expiresAt = new Date(ctx.now().getTime() + CHALLENGE_MS);
  const isStored = await ctx.db.transaction().execute(async (tx) => {
    // So that the hash is not replaced between this look and the challenge.
    await lockUserRow(tx, proof.user.id);
    const current = await findPassword(tx, proof.user.id);
    if ((current?.hash ?? null) !== proof.hash) return false;
    await insertChallenge(tx, hashToken(factorToken), challenge, expiresAt);
    await proof.onSignIn(tx);
    return true;
  });
  if (!isStored) return null;
  return new DomainError('second_factor_required', {
    detail: 'Send a second factor with the factorToken to POST /login/factor',
    members: { factorToken, factors: proof.factors },
  });
}

/** The digest of a password hash, as the database computes it in `replaceHash`. Users without a password have one, too. */
export function digestOf(hash: string | null): Buffer {
  return createHash('sha256')
    .update(hash ?? '')
    .digest();
}
