import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // Null, for sessions from before, is not proven of late: the user is asked for the password once more.
  await sql`alter table sessions add column proven_at timestamptz`.execute(db);
}
