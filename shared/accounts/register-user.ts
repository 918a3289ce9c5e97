import { isReserved } from '../email-addresses/former-email-store';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { PublishingContext } from '../outbox/publisher';
import { assertNotBreached } from '../passwords/breached';
import { hashPassword } from '../passwords/hash';
import { setPassword } from '../passwords/password-store';
import { limitMail } from '../rate-limits/limit-mail';
import { assertMayGrantRole } from '../roles/assert-may-grant-role';
import type { Permission } from '../roles/permissions';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { createUser } from '../users/create-user';
import type { User } from '../users/user';
import { claimKey } from './idempotency-store';
import { claimFor, replayRegistration } from './replay-registration';

export interface Registration {
  username: string;
  email: string | null;
  password: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** Set by a caller who may give roles out; `user` where there is none. */
  role: string;
}

export interface Registered {
  user: User;
  tokens: SessionTokens;
  /** True where this very registration was made before, under the same idempotency key. */
  replayed: boolean;
}

/**
 * Creates a user, their first session and the event that tells everyone, all or nothing; then publishes the event.
 * A broker that is down costs the publish deadline at most, and never the registration.
 * @param granting what the caller may do, null where nobody calls
 * @param idempotencyKey the caller's name for this registration: however often it is sent, it makes one user
 * @throws DomainError `username_taken`, `email_taken`, `forbidden`, `rate_limited`, `idempotency_key_reused`, or
 * `invalid_request` for an unknown role
 */
export async function registerUser(
  ctx: PublishingContext,
  input: Registration,
  origin: Origin,
  granting: ReadonlySet<Permission> | null = null,
  idempotencyKey: string | null = null,
): Promise<Registered> {
  // Whoever may change every user may also have as many mails sent as they like.
  const unlimited = granting?.has('users:write') ?? false;
  await assertNotBreached(ctx, 'password', input.password);
  const rolePermissions = granting === null ? [] : await assertMayGrantRole(ctx.db, input.role, granting);
  // Before the transaction: it is CPU for tens of milliseconds, and no connection or lock should wait on that.
  const hashed = await hashPassword(input.password, ctx.config.users.bcryptCost);

  const { password, ...body } = input;
  const claim = idempotencyKey === null ? null : claimFor(ctx, idempotencyKey, body, origin.actorId);

  const done = await ctx.db.transaction().execute(async (tx) => {
    // In the same transaction: a registration that fails leaves the key free for the next try.
    if (claim && !(await claimKey(tx, claim))) return claim;
    const id = claim?.userId ?? ctx.newId();
    const { user, event } = await createUser(tx, ctx, 'inline', { ...input, id }, origin);
    // After the insert, which has waited for a change that was about to free the address.
    const reserved = user.email !== null && (await isReserved(tx, user.email, id, ctx.now()));
    if (reserved) throw new DomainError('email_taken');
    // Counted with the user or not at all: an address that is taken gets no mail. Who registers, deletes and registers
    // again would have the mailbox of a stranger filled.
    if (!unlimited && user.email !== null) await limitMail({ ...ctx, db: tx }, user.email, null);
    await setPassword(tx, id, hashed);
    const proof = { user, rolePermissions, at: ctx.now(), amr: ['pwd'] as const };
    const { tokens } = await openSession(tx, ctx, proof, origin);
    return { user, tokens, event };
  });
  if ('fingerprint' in done) {
    return { ...(await replayRegistration(ctx, done, password, origin)), replayed: true };
  }
  await ctx.publisher.publish([done.event]);
  return { user: done.user, tokens: done.tokens, replayed: false };
}
