import { sql } from 'kysely';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';

/**
 * Called after a way to sign in was removed, in the same transaction. A password is one, and a mailed code to a verified
 * address, where the service offers that.
 * @throws DomainError `last_sign_in_method` if the user, whom the caller has locked, has none left
 */
export async function assertCanSignIn(tx: Tx, { config }: Context, userId: string): Promise<void> {
  const { rows } = await sql`
    select from users where id = ${userId} and (
      exists (select from passwords where user_id = users.id)
      or ${config.hasEmailLogin} and email is not null and email_verified)`.execute(tx);
  if (rows.length === 0) throw new DomainError('last_sign_in_method');
}
