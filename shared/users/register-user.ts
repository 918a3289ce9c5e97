import type { Origin } from '../events/origin';
import type { PublishingContext } from '../events/publisher';
import { hashPassword } from '../passwords/hash';
import { limitRate, useByAddress } from '../rate-limits/limit-rate';
import { assertMayGrantRole } from '../roles/assert-may-grant-role';
import type { Permission } from '../roles/permissions';
import { openSession, type SessionTokens } from '../sessions/open-session';
import { createUser } from './create-user';
import type { User } from './user';

export interface Registration {
  username: string;
  email: string | null;
  password: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** Set by a caller who may give roles out; `user` where there is none. */
  role: string;
}

/**
 * Creates a user, their first session and the event that tells everyone, all or nothing; then publishes the event.
 * A broker that is down costs the publish deadline at most, and never the registration.
 * @param granting what the caller may do, null where nobody calls
 * @throws DomainError `username_taken`, `email_taken`, `forbidden`, `rate_limited`, or `invalid_request` for an unknown
 * role
 */
export async function registerUser(
  ctx: PublishingContext,
  input: Registration,
  origin: Origin,
  granting: ReadonlySet<Permission> | null = null,
): Promise<{ user: User; tokens: SessionTokens }> {
  // Whoever may change every user may also make as many as they like.
  if (!granting?.has('users:write')) await limitRate(ctx, [useByAddress('registerAddress', origin.address)]);
  const rolePermissions = granting === null ? [] : await assertMayGrantRole(ctx.db, input.role, granting);
  // Before the transaction: it is CPU for tens of milliseconds, and no connection or lock should wait on that.
  const passwordHash = await hashPassword(input.password, ctx.config.users.bcryptCost);

  const { user, tokens, event } = await ctx.db.transaction().execute(async (tx) => {
    const { user, event } = await createUser(tx, ctx, 'inline', { ...input, passwordHash }, origin);
    const { tokens } = await openSession(tx, ctx, user, rolePermissions, origin);
    return { user, tokens, event };
  });
  await ctx.publisher.publish([event]);
  return { user, tokens };
}
