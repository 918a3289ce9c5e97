import bcrypt from 'bcryptjs';
import { hasArgon2 } from '../argon2';
import { DomainError } from '../errors';
import { ARGON2_COST, type Argon2Cost, matchesArgon2, parseArgon2, spendArgon2, workOf } from './argon2-hash';
import { fitsBcrypt, type HashSettings, type PasswordMatch, preparePassword } from './hash';
import { hashing } from './hashing';

/** What a wrong password costs: one hash by each algorithm that is in use. */
export interface FailureCost {
  /** log2 of the rounds; 0: no bcrypt. */
  bcrypt: number;
  argon2: Argon2Cost;
}

export const NO_COST: FailureCost = { bcrypt: 0, argon2: { memory: 0, passes: 0 } };

/** @param highest the cost of the most expensive hashes of all users */
export function failureCost({ algorithm, bcryptCost }: HashSettings, highest: FailureCost): FailureCost {
  if (algorithm === 'bcrypt') return { ...highest, bcrypt: Math.max(bcryptCost, highest.bcrypt) };
  return { ...highest, argon2: workOf(highest.argon2) > workOf(ARGON2_COST) ? highest.argon2 : ARGON2_COST };
}

/**
 * Compares a password with a user's hash, or with none if there is no such user. A wrong password takes as long for every
 * user as for an unknown one.
 * @param failure what a wrong password costs at least
 * @throws DomainError `unavailable` if this Node.js lacks Argon2, and the password is wrong or the hash is one of Argon2
 */
export async function verifyPassword(
  password: string,
  hash: string | null,
  failure: FailureCost,
): Promise<PasswordMatch | null> {
  const prepared = preparePassword(password);
  // One turn for all of it: who needs several steps must not wait longer, which would show in the time.
  return hashing().limit(async () => {
    if (await matches(prepared, hash, failure)) return 'prepared';
    // For all users, even if the hash is known to be of the prepared form: a skipped comparison would show in the time.
    if (prepared !== password && (await matches(password, hash, failure))) return 'typed';
    return null;
  });
}

async function matches(password: string, hash: string | null, failure: FailureCost): Promise<boolean> {
  const argon2 = hash === null ? null : parseArgon2(hash);
  if (argon2 && hasArgon2() && (await matchesArgon2(password, argon2))) return true;
  if (hash !== null && !argon2 && (await hashing().bcrypt.compare(password, hash))) {
    // bcrypt compares only the first 72 bytes, so a longer password is never correct.
    if (fitsBcrypt(password)) return true;
  }
  await spendBcrypt(password, failure.bcrypt, argon2 ? null : hash);
  // The same for everybody: an error for users with such a hash alone would reveal who they are.
  if (!hasArgon2() && (argon2 || failure.argon2.passes > 0)) throw cannotCompute();
  await spendArgon2(password, failure.argon2, argon2 ? workOf(argon2) : 0);
  return false;
}

/** Takes the time of 2^cost rounds, less those of the compared hash. */
async function spendBcrypt(password: string, cost: number, compared: string | null): Promise<void> {
  if (compared === null) {
    if (cost > 0) await hashing().bcrypt.compare(password, dummyHash(cost));
    return;
  }
  // A cheaper hash would show in the time. Its 2^n rounds plus dummy rounds of 2^n, 2^(n+1) … add up to 2^cost.
  for (let done = bcrypt.getRounds(compared); done < cost; done += 1) {
    await hashing().bcrypt.compare(password, dummyHash(done));
  }
}

/** A well-formed hash without a known password: 22 characters of salt, 31 of digest. */
function dummyHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;
}

function cannotCompute(): DomainError {
  const cause = new Error(
    `There are password hashes by Argon2, which Node.js ${process.version} cannot compute: run 24.7 or later. See docs/operations.md, "Password hashes"`,
  );
  return new DomainError('unavailable', {}, { cause });
}
