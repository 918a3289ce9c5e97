import { recordFailedSignIn } from '../audit/record-sign-in';
import type { Context } from '../context/context';
import { countGuess, type Guess, giveBackGuess, guessedName } from '../credentials/count-guess';
import { hashPassword, needsRehash, verifyPassword } from '../credentials/hash';
import {
  findCredentials,
  findForLogin,
  findHighestHashCost,
  type LoginName,
  type LoginRecord,
  replaceHash,
} from '../credentials/password-store';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/outbox';
import { addressBlock } from '../rate-limits/address-block';
import { openSession, type SessionTokens } from '../sessions/open-session';
import type { User } from '../users/user';
import { takeMinorSequence } from '../users/user-store';

/**
 * Opens a session for whoever knows the password. A wrong name and a wrong password are the same answer after the
 * same time; so are an account that is slowed down and a name that nobody has, tried as often. The tries of an address
 * are for the caller to limit, before it reads the request's body. A failure is an entry of the audit log.
 * @throws DomainError `invalid_credentials` or `rate_limited`
 */
export async function logIn(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<{ user: User; tokens: SessionTokens }> {
  const block = addressBlock(origin.address);
  const found = await findForLogin(ctx.db, name);
  // Before the hash, which is what an attacker would have us compute.
  const guess = await countGuess(ctx, name, found?.passwordHash ?? null, { block });
  const mayTry = guess.slowed === null || (guess.allowedWhereKnown && isKnownAt(found, block));
  const hash = mayTry && found ? found.passwordHash : null;
  // An imported hash may cost more than BCRYPT_COST: then everybody's failed login does.
  const floor = Math.max(ctx.config.users.bcryptCost, await findHighestHashCost(ctx.db));
  const match = await verifyPassword(password, hash, floor);
  const refused = async () => {
    const reason = guess.slowed ? 'slowed' : found ? 'wrong_password' : 'unknown_name';
    const failed = {
      name: guessedName(name),
      userId: found?.user.id ?? null,
      method: 'login',
      reason,
    } as const;
    await recordFailedSignIn(ctx, failed, origin);
    return guess.slowed ?? new DomainError('invalid_credentials');
  };
  if (!found || !match) throw await refused();

  const { bcryptCost } = ctx.config.users;
  const checkedHash = needsRehash(found.passwordHash, password, match, bcryptCost)
    ? await upgradeHash(ctx, found, await hashPassword(password, bcryptCost))
    : found.passwordHash;
  const opened = await openFor(ctx, found, checkedHash, guess, origin);
  if (opened) return opened;
  // Another hash by now: of another password, or of the same one, which a login at the same moment has upgraded.
  const now = await findCredentials(ctx.db, found.user.id);
  const stillRight = now !== null && (await verifyPassword(password, now.passwordHash, floor)) !== null;
  const reopened = stillRight && (await openFor(ctx, found, now.passwordHash, guess, origin));
  if (!reopened) throw await refused();
  return reopened;
}

/** @returns null where the user is gone, or their hash is no longer the one that was checked */
function openFor(
  ctx: Context,
  { user, rolePermissions }: LoginRecord,
  checkedHash: string,
  guess: Guess,
  origin: Origin,
): Promise<{ user: User; tokens: SessionTokens } | null> {
  return ctx.db.transaction().execute(async (tx) => {
    // The lock also settles the race with a password change, which ends all sessions that exist by then.
    const sequence = await takeMinorSequence(tx, user.id, checkedHash);
    if (sequence === null) return null;
    const { sessionId, tokens } = await openSession(tx, ctx, user, rolePermissions, origin);
    await appendEvent(tx, ctx, 'relay', {
      type: 'session.created',
      subject: user.id,
      sequence,
      data: { userId: user.id, sessionId, reason: 'login' },
      origin: { ...origin, actorId: user.id },
    });
    await giveBackGuess(tx, ctx, guess);
    return { user, tokens };
  });
}

/** Whether the user has been logged in there of late: from the address, or from anywhere in its /64. */
function isKnownAt(found: LoginRecord | null, block: string): boolean {
  return found?.addresses.some((address) => addressBlock(address) === block) ?? false;
}

/** @returns the hash that the user has now, if nobody else was faster */
async function upgradeHash(
  ctx: Context,
  { user, passwordHash }: LoginRecord,
  upgraded: string,
): Promise<string> {
  return (await replaceHash(ctx.db, user.id, passwordHash, upgraded)) ? upgraded : passwordHash;
}
