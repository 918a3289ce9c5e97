import { type Kysely, sql } from 'kysely';

/** For the purge: when each session ended, or will. `least` passes over a null. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create index sessions_ended_index on sessions (least(expires_at, revoked_at))`.execute(db);
}
