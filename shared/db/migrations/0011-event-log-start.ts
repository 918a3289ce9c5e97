import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // One row: the time of the latest event that the purge has taken, null while it has taken none.
  await sql`
    create table event_log_start (
      single boolean primary key default true check (single),
      purged_until timestamptz
    )`.execute(db);
  // Of what came before, nobody knows what was purged: all up to the oldest event that is left, or up to now.
  await sql`
    insert into event_log_start (purged_until)
    select coalesce((select min(time) from outbox),
      case when exists (select from analytics_hourly) then now() end)`.execute(db);
}
