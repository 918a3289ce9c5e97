import { type Kysely, sql } from 'kysely';

/** Which events may be the ones over which a consumer function crashes or hangs, so that the next poller knows. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table suspected_events (
      consumer text not null,
      event_id uuid not null,
      -- It was handed over by itself, and nobody has noted the end of that call.
      is_tried boolean not null,
      noted_at timestamptz not null default now(),
      primary key (consumer, event_id)
    )`.execute(db);
}
