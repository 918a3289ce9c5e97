import { type Kysely, sql } from 'kysely';

/**
 * What happened to an event beside the usual: failures, waits, dead letters, and what it caused outside of the database.
 * That it was published and handled is in `publications` and `inbox` already.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table event_history (
      event_id uuid not null,
      id bigint generated always as identity,
      at timestamptz not null default clock_timestamp(),
      kind text not null,
      consumer text,
      attempt integer,
      error text,
      due_at timestamptz,
      detail jsonb,
      primary key (event_id, id)
    )`.execute(db);

  // Of a message that is not an event, its id may still be that of one.
  await sql`
    alter table dead_letters add column event_id uuid generated always as (coalesce(
      (event ->> 'id')::uuid,
      case when message_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then message_id::uuid end
    )) stored`.execute(db);
  await sql`create index dead_letters_event_index on dead_letters (event_id)`.execute(db);
}
