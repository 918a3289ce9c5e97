import { displayAddress } from './email-address';
import type { User } from './user';

/** A user as responses show it, with addresses for display. Events and emails contain the stored form. */
export function userResponse(user: User): User {
  const { email, pendingEmail } = user;
  return {
    ...user,
    email: email === null ? null : displayAddress(email),
    pendingEmail: pendingEmail === null ? null : displayAddress(pendingEmail),
  };
}
