import type { Context } from '../context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { appendEvent } from '../events/outbox';
import { hashPassword, needsRehash, verifyPassword } from '../passwords/hash';
import { giveBackUse, limitRate, type Use, useByAddress } from '../rate-limits/limit-rate';
import { findForLogin, type LoginName, type LoginRecord, replaceHash } from '../users/credential-store';
import { addressKey } from '../users/email-address';
import { foldCase } from '../users/fold-case';
import type { User } from '../users/user';
import { takeMinorSequence } from '../users/user-store';
import { openSession, type SessionTokens } from './open-session';

/**
 * Opens a session for whoever knows the password. A wrong name and a wrong password are the same answer after the
 * same time; so are a locked account and a name that nobody has, tried as often.
 * @throws DomainError `invalid_credentials` or `rate_limited`
 */
export async function logIn(
  ctx: Context,
  name: LoginName,
  password: string,
  origin: Origin,
): Promise<{ user: User; tokens: SessionTokens }> {
  const { bcryptCost } = ctx.config.users;
  const found = await findForLogin(ctx.db, name, origin.address);
  const failure = failureOf(name, found?.knownAddress ? origin.address : null);
  // Before the hash, which is what an attacker would have us compute.
  await limitRate(ctx, [useByAddress('loginAddress', origin.address), failure]);
  const matches = await verifyPassword(password, found?.passwordHash ?? null, bcryptCost);
  if (!found || !matches) throw new DomainError('invalid_credentials');

  const passwordHash = await upgradeHash(ctx, found, password);
  return ctx.db.transaction().execute(async (tx) => {
    // The lock also settles the race with a password change, which ends all sessions that exist by then.
    const sequence = await takeMinorSequence(tx, found.user.id, passwordHash);
    if (sequence === null) throw new DomainError('invalid_credentials');
    const { sessionId, tokens } = await openSession(tx, ctx, found.user, found.rolePermissions, origin);
    await appendEvent(tx, ctx, 'relay', {
      type: 'session.created',
      subject: found.user.id,
      sequence,
      data: { userId: found.user.id, sessionId, reason: 'login' },
      origin: { ...origin, actorId: found.user.id },
    });
    await giveBackUse(tx, ctx, failure);
    return { user: found.user, tokens };
  });
}

/**
 * What a failure counts against. The name as it was given and not the user it means: that would tell, by one being
 * locked with the other, which e-mail address belongs to which username. Where the user has been logged in before,
 * failures are counted apart, so that nobody can lock them out from elsewhere.
 */
function failureOf(name: LoginName, knownAddress: string | null): Use {
  const given =
    'email' in name ? `email ${addressKey(name.email)}` : `username ${foldCase(name.username.trim())}`;
  return { limit: 'loginAccount', subject: knownAddress === null ? given : `${given} at ${knownAddress}` };
}

/** Where the configured cost has been raised, this is the moment when the password is at hand. */
async function upgradeHash(ctx: Context, found: LoginRecord, password: string): Promise<string> {
  const { bcryptCost } = ctx.config.users;
  if (!needsRehash(found.passwordHash, bcryptCost)) return found.passwordHash;
  const upgraded = await hashPassword(password, bcryptCost);
  const replaced = await replaceHash(ctx.db, found.user.id, found.passwordHash, upgraded);
  return replaced ? upgraded : found.passwordHash;
}
