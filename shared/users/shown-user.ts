import { shownAddress } from './email-address';
import type { User } from './user';

/** A user as people read it, for an answer. Events and mails have the address as mail servers take it. */
export function shownUser(user: User): User {
  const { email, pendingEmail } = user;
  return {
    ...user,
    email: email === null ? null : shownAddress(email),
    pendingEmail: pendingEmail === null ? null : shownAddress(pendingEmail),
  };
}
