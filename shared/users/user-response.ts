import type { Context } from '../context/context';
import { displayAddress } from './email-address';
import { activeSuspension, type Suspension } from './suspension';
import type { User } from './user';

/** A user as responses show it. */
export type UserResponse = Omit<User, 'suspension'> & {
  suspension: { since: string; until: string | null; reason?: string | null | undefined } | null;
};

interface Viewer {
  user: { id: string };
  permissions: ReadonlySet<string>;
}

/**
 * A user as responses show it, with addresses for display. Events and emails contain the stored form.
 * @param viewer sees the reason of a suspension, with `users:read` and for another user
 */
export function userResponse(
  { now }: Pick<Context, 'now'>,
  user: User,
  viewer: Viewer | null = null,
): UserResponse {
  const { email, pendingEmail } = user;
  const seesReason = viewer !== null && viewer.user.id !== user.id && viewer.permissions.has('users:read');
  return {
    ...user,
    email: email === null ? null : displayAddress(email),
    pendingEmail: pendingEmail === null ? null : displayAddress(pendingEmail),
    suspension: suspensionResponse(activeSuspension(user, now()), seesReason),
  };
}

function suspensionResponse(suspension: Suspension | null, seesReason: boolean): UserResponse['suspension'] {
  if (suspension === null || seesReason) return suspension;
  const { since, until } = suspension;
  return { since, until };
}

/** The suffix of a user's entity tag: a suspension ends by the clock, which the version follows within a minute. */
export function suspensionTag({ now }: Pick<Context, 'now'>, user: User): string {
  return user.suspension !== null && activeSuspension(user, now()) === null ? '.0' : '';
}
