import { isDeepStrictEqual } from 'node:util';
import { foldCase } from '../characters';
import type { Context } from '../context/context';
import { limitRate, useByAddress } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import type { User } from '../users/user';

/**
 * Limits users' changes to themselves, because each writes an event. A new username or email address is counted before
 * the check whether it is taken, so that probing for existing ones is limited too; per client address, it is counted
 * together with registrations, which reveal the same. Callers with `users:write` are not limited.
 * @throws DomainError `rate_limited`
 */
export async function limitUpdate(
  ctx: Context,
  { user, permissions }: Pick<Caller, 'user' | 'permissions'>,
  update: Partial<User>,
  address: string | null,
): Promise<void> {
  if (permissions.has('users:write')) return;
  const before = new Map(Object.entries(user));
  const changed = Object.entries(update).filter(
    ([field, value]) => before.has(field) && !isDeepStrictEqual(value, before.get(field)),
  );
  if (changed.length === 0) return;
  const triesName = isOther(update.username, user.username) || isOther(update.email, user.email);
  const subject = user.id;
  await limitRate(ctx, [
    ...(triesName
      ? [useByAddress('registerAddress', address), { limit: 'nameAccount', subject } as const]
      : []),
    { limit: 'updateAccount', subject },
  ]);
}

function isOther(after: string | null | undefined, before: string | null): boolean {
  return typeof after === 'string' && foldCase(after) !== foldCase(before ?? '');
}
