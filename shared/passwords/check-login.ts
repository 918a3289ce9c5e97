import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { addressBlock } from '../rate-limits/address-block';
import type { FirstFactorProof } from '../sessions/proof';
import { countGuess, guessedName, uncountGuess } from './count-guess';
import { hashPassword, needsRehash } from './hash';
import {
  findForLogin,
  findHighestCost,
  type LoginName,
  type LoginRecord,
  replaceHash,
} from './password-store';
import { failureCost, verifyPassword } from './verify';

/** A login with the correct password. */
export interface CheckedLogin {
  proof: FirstFactorProof;
  /**
   * Checks the password again, against the user's current state.
   * @throws DomainError `invalid_credentials` if the password was changed or the user was deleted
   */
  recheck(): Promise<FirstFactorProof>;
}

/**
 * Checks a name and a password. An unknown name and a wrong password get the same error in the same time, also after too
 * many failed attempts. Writes failures to the audit log. The caller limits attempts per client address, before it
 * parses the body.
 * @throws DomainError `invalid_credentials` or `rate_limited`
 */
export async function checkLogin(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<CheckedLogin> {
  const block = addressBlock(origin.address);
  // Old and imported hashes may cost more than new ones. Every failed login costs as much as the most expensive ones.
  const [found, highestCost] = await Promise.all([findForLogin(ctx.db, name), findHighestCost(ctx.db)]);
  // Before hashing, so that an attacker cannot use up the CPU.
  const guess = await countGuess(ctx, name, found?.hash ?? null, { block });
  const mayTry = guess.rejection === null || (guess.allowedFromKnownPlace && isKnownPlace(found, block));
  const failure = failureCost(ctx.config.passwords, highestCost);
  const verify = (hash: string | null) => verifyPassword(password, hash, failure);
  const match = await verify(mayTry && found ? found.hash : null);

  const refuse = async (): Promise<never> => {
    const reason = guess.rejection ? 'slowed' : found ? 'wrong_password' : 'unknown_name';
    const userId = found?.user.id ?? null;
    await recordFailedSignIn(ctx, { name: guessedName(name), userId, method: 'login', reason }, origin);
    throw guess.rejection ?? new DomainError('invalid_credentials');
  };
  if (!found || found.hash === null || !match) return refuse();

  const { user, hash: oldHash } = found;
  let checkedHash = oldHash;
  if (needsRehash(oldHash, password, match, ctx.config.passwords)) {
    const { hash } = await hashPassword(password, ctx.config.passwords);
    // A concurrent login may have replaced it already.
    if (await ctx.db.transaction().execute((tx) => replaceHash(tx, user.id, oldHash, hash))) {
      checkedHash = hash;
    }
  }
  const proofOf = ({ user, rolePermissions, factors }: LoginRecord, hash: string): FirstFactorProof => ({
    user,
    rolePermissions,
    hash,
    factors,
    at: ctx.now(),
    amr: ['pwd'],
    onSignIn: (tx) => uncountGuess(tx, ctx, guess),
  });
  return {
    proof: proofOf(found, checkedHash),
    recheck: async () => {
      const current = await findForLogin(ctx.db, { id: user.id });
      if (!current || current.hash === null) return refuse();
      const isCorrect = current.hash === checkedHash || (await verify(current.hash)) !== null;
      return isCorrect ? proofOf(current, current.hash) : refuse();
    },
  };
}

/** Whether the user has recently logged in from this address block. */
export function isKnownPlace(found: LoginRecord | null, block: string): boolean {
  return found?.addresses.some((address) => addressBlock(address) === block) ?? false;
}
