import { isDeepStrictEqual } from 'node:util';
import { foldCase } from '../characters';
import type { Context } from '../context/context';
import { limitRate, useByAddress } from '../rate-limits/limit-rate';
import type { Caller } from '../sessions/authenticate';
import type { User } from '../users/user';

/**
 * Counts a change that users make of themselves: each is an event, with what was before and after in it. Another
 * username or email address is counted before it is known whether somebody has it, or this would be the way to find
 * out; per client address together with registrations, which tell the same. Whoever may change every user is not limited.
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
