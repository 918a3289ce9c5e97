import { type Kysely, sql } from 'kysely';

/** For erasing a deleted user's traces from events about others: few, so the index is small. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`create index outbox_foreign_actor_index on outbox (actor_id) where actor_id <> subject`.execute(
    db,
  );
}
