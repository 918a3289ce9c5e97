import { shownAddress } from './email-address';
import type { User } from './user';

/** A user as people read it, for an answer. Events and mails have the address as mail servers take it. */
export function shownUser<T extends Pick<User, 'email'>>(user: T): T {
  return user.email === null ? user : { ...user, email: shownAddress(user.email) };
}
