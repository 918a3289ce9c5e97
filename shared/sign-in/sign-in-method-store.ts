import { sql } from 'kysely';
import type { Db } from '../db/connection';

/** Whether a user can sign in: by a password, a passkey, or a code mailed to a verified address, if `byMail`. */
export async function hasSignInMethod(db: Db, userId: string, byMail: boolean): Promise<boolean> {
  const { rows } = await sql`
    select from users where id = ${userId} and (
      exists (select from passwords where user_id = users.id)
      or exists (select from passkeys where user_id = users.id)
      or ${byMail} and email is not null and email_verified)`.execute(db);
  return rows.length > 0;
}
