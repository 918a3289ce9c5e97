import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { PublishingContext } from '../events/publisher';
import { hashPassword } from '../passwords/hash';
import { limitRate, useByAddress } from '../rate-limits/limit-rate';
import { type Permission, permissionsOf } from '../roles/permissions';
import { findRolePermissions } from '../roles/role-store';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { createUser } from './create-user';
import { claimKey } from './idempotency-store';
import { claimFor, replayRegistration } from './replay-registration';
import type { User } from './user';

export interface Registration {
  username: string;
  email: string | null;
  password: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** Set by a caller who may give roles out; `user` for everyone else. */
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
 * @param idempotencyKey the caller's name for this registration: however often it is sent, it makes one user
 * @param granting what the caller may do, where they chose the role
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
  // Whoever may change every user may also make as many as they like.
  if (!granting?.has('users:write')) await limitRate(ctx, [useByAddress('registerAddress', origin.address)]);
  const rolePermissions = await assertMayGrant(ctx, input.role, granting);
  // Before the transaction: it is CPU for tens of milliseconds, and no connection or lock should wait on that.
  const passwordHash = await hashPassword(input.password, ctx.config.users.bcryptCost);

  const claim = idempotencyKey === null ? null : claimFor(ctx, idempotencyKey, input, origin.actorId);

  const done = await ctx.db.transaction().execute(async (tx) => {
    // In the same transaction: a registration that fails leaves the key free for the next try.
    if (claim && !(await claimKey(tx, claim))) return claim;
    const id = claim?.userId ?? ctx.newId();
    const { user, event } = await createUser(tx, ctx, 'inline', { ...input, id, passwordHash }, origin);
    const { tokens } = await openSession(tx, ctx, user, rolePermissions, origin);
    return { user, tokens, event };
  });
  if ('fingerprint' in done) {
    return { ...(await replayRegistration(ctx, done, input.password, origin)), replayed: true };
  }
  await ctx.publisher.publish([done.event]);
  return { user: done.user, tokens: done.tokens, replayed: false };
}

/** Nobody hands out a permission that they lack themselves. @returns the permissions stored with the role */
async function assertMayGrant(
  ctx: PublishingContext,
  role: string,
  granting: ReadonlySet<Permission> | null,
): Promise<string[]> {
  if (granting === null && role === 'user') return [];
  const stored = await findRolePermissions(ctx.db, role);
  if (stored === null) {
    throw new DomainError('invalid_request', { errors: [{ path: 'role', message: 'is not a known role' }] });
  }
  const exceeding = [...permissionsOf(role, stored)].filter((permission) => !granting?.has(permission));
  if (exceeding.length > 0) {
    throw new DomainError('forbidden', {
      detail: `The role holds permissions that you lack: ${exceeding.join(', ')}`,
    });
  }
  return stored;
}
