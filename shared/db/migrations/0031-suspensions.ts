import { type Kysely, sql } from 'kysely';

/**
 * Suspended users. The previous version does not know that a user is suspended: it lets them sign in until it has been
 * replaced.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    alter table users
      add column suspended_at timestamptz,
      add column suspended_until timestamptz,
      add column suspension_reason text`.execute(db);
  // For the list of the suspended, and for what ends each minute.
  await sql`create index users_suspended_index on users (id) where suspended_at is not null`.execute(db);
  await sql`
    create index users_suspended_until_index on users (suspended_until)
    where suspended_until is not null`.execute(db);
}
