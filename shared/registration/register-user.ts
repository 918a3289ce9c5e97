import type { Tx } from '../db/connection';
import { inOneTrip } from '../db/in-one-trip';
import { isReserved } from '../email-addresses/former-email-store';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { PublishingContext } from '../outbox/publisher';
import { assertAcceptable } from '../passwords/acceptable';
import { hashPassword } from '../passwords/hash';
import { setPassword } from '../passwords/password-store';
import { limitMail } from '../rate-limits/limit-mail';
import { assertMayGrantRole } from '../roles/assert-may-grant-role';
import { assertRecentAuthentication } from '../sessions/assert-recent-authentication';
import type { Caller } from '../sessions/authenticate';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { appendUserCreated } from '../users/create-user';
import type { User } from '../users/user';
import { insertUser } from '../users/user-store';
import { claimKey } from './idempotency-store';
import { newKeyClaim, replayRegistration } from './replay-registration';

export interface Registration {
  username: string;
  email: string | null;
  /** Null: the user signs in with mailed codes. */
  password: string | null;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** `user`, unless a caller with `roles:write` set another one. */
  role: string;
}

export interface Registered {
  user: User;
  tokens: SessionTokens;
  /** True if the same registration was made before with the same idempotency key. */
  replayed: boolean;
}

/**
 * Creates a user, their first session and the `user.created` event in one transaction, then publishes the event. If the
 * broker is down, the registration still succeeds after the publish deadline at most.
 * @param caller null if anonymous
 * @param idempotencyKey with the same key, repeated registrations create one user
 * @throws DomainError `username_taken`, `email_taken`, `forbidden`, `rate_limited`, `idempotency_key_reused`,
 * `reauthentication_required` for another role than `user`, or `invalid_request` for an unknown role
 */
export async function registerUser(
  ctx: PublishingContext,
  input: Registration,
  origin: Origin,
  caller: Caller | null = null,
  idempotencyKey: string | null = null,
): Promise<Registered> {
  // Callers with `users:write` may send any number of emails.
  const unlimited = caller?.permissions.has('users:write') ?? false;
  if (input.password !== null) await assertAcceptable(ctx, 'password', input.password);
  const rolePermissions =
    caller === null ? [] : await assertMayGrantRole(ctx.db, input.role, caller.permissions);
  if (caller !== null && input.role !== 'user') assertRecentAuthentication(ctx, caller);
  // Before the transaction, so that no connection or lock is held while hashing.
  const hashed = input.password === null ? null : await hashPassword(input.password, ctx.config.passwords);

  const { password, ...body } = input;
  const claim = idempotencyKey === null ? null : newKeyClaim(ctx, idempotencyKey, body, origin.actorId);

  const done = await ctx.db.transaction().execute(async (tx) => {
    // In the same transaction, so that a failed registration leaves the key free for a retry.
    if (claim && !(await claimKey(tx, claim))) return claim;
    const now = ctx.now();
    const user = await insertUser(tx, { ...input, id: claim?.userId ?? ctx.newId(), now });
    const proof = { user, rolePermissions, at: now, amr: hashed ? (['pwd'] as const) : [] };
    const [, , event, tokens] = await inOneTrip(tx, (together) => [
      // After the insert, which waits for concurrent changes that free or reserve the address.
      assertNotReserved(together, user, now),
      // Counted only if the user is created, because a taken address gets no email. Otherwise someone could flood a
      // stranger's mailbox by registering and deleting again and again.
      user.email === null || unlimited ? null : limitMail({ ...ctx, db: together }, user.email, null),
      appendUserCreated(together, ctx, 'inline', user, origin),
      openSession(together, ctx, ctx.newId(), proof, origin),
      hashed && setPassword(together, user.id, hashed),
    ]);
    return { user, tokens, event };
  });
  if ('fingerprint' in done) {
    return { ...(await replayRegistration(ctx, done, password, origin)), replayed: true };
  }
  await ctx.publisher.publish([done.event]);
  return { user: done.user, tokens: done.tokens, replayed: false };
}

async function assertNotReserved(tx: Tx, { id, email }: User, now: Date): Promise<void> {
  if (email !== null && (await isReserved(tx, email, id, now))) throw new DomainError('email_taken');
}
