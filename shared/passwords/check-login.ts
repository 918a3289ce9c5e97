import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { addressBlock } from '../rate-limits/address-block';
import type { UserProof } from '../sessions/proof';
import { countGuess, giveBackGuess, guessedName } from './count-guess';
import { hashPassword, needsRehash, verifyPassword } from './hash';
import {
  findForLogin,
  findHighestHashCost,
  type LoginName,
  type LoginRecord,
  replaceHash,
} from './password-store';

/** A login whose password was right. */
export interface CheckedLogin {
  proof: UserProof;
  /**
   * Checks it against the user as they are by now.
   * @throws DomainError `invalid_credentials` where the password is another one or the user is gone
   */
  checkAgain(): Promise<UserProof>;
}

/**
 * Checks a name and a password. A wrong name and a wrong password are the same answer after the same time; so are an
 * account that is slowed down and a name that nobody has, tried as often. The tries of an address are for the caller to
 * limit, before it reads the request's body. A failure is an entry of the audit log.
 * @throws DomainError `invalid_credentials` or `rate_limited`
 */
export async function checkLogin(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<CheckedLogin> {
  const block = addressBlock(origin.address);
  const found = await findForLogin(ctx.db, name);
  // Before the hash, which is what an attacker would have us compute.
  const guess = await countGuess(ctx, name, found?.hash ?? null, { block });
  const mayTry = guess.slowed === null || (guess.allowedWhereKnown && isKnownAt(found, block));
  // An imported hash may cost more than BCRYPT_COST: then everybody's failed login does.
  const floor = Math.max(ctx.config.users.bcryptCost, await findHighestHashCost(ctx.db));
  const verify = (hash: string | null) => verifyPassword(password, hash, floor);
  const match = await verify(mayTry && found ? found.hash : null);

  const refuse = async (): Promise<never> => {
    const reason = guess.slowed ? 'slowed' : found ? 'wrong_password' : 'unknown_name';
    const userId = found?.user.id ?? null;
    await recordFailedSignIn(ctx, { name: guessedName(name), userId, method: 'login', reason }, origin);
    throw guess.slowed ?? new DomainError('invalid_credentials');
  };
  if (!found || found.hash === null || !match) return refuse();

  const { bcryptCost } = ctx.config.users;
  let checkedHash = found.hash;
  if (needsRehash(checkedHash, password, match, bcryptCost)) {
    const { hash } = await hashPassword(password, bcryptCost);
    // Somebody else may have been faster.
    if (await replaceHash(ctx.db, found.user.id, checkedHash, hash)) checkedHash = hash;
  }
  const proofOf = ({ user, rolePermissions }: LoginRecord): UserProof => ({
    user,
    rolePermissions,
    at: ctx.now(),
    amr: ['pwd'],
    settle: (tx) => giveBackGuess(tx, ctx, guess),
  });
  return {
    proof: proofOf(found),
    checkAgain: async () => {
      const now = await findForLogin(ctx.db, { id: found.user.id });
      const isRight = now && (now.hash === checkedHash || (await verify(now.hash)) !== null);
      return isRight ? proofOf(now) : refuse();
    },
  };
}

/** Whether the user has been logged in there of late: from the address, or from anywhere in its /64. */
function isKnownAt(found: LoginRecord | null, block: string): boolean {
  return found?.addresses.some((address) => addressBlock(address) === block) ?? false;
}
