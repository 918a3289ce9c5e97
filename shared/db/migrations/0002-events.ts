import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table outbox (
      id uuid primary key,
      position bigint generated always as identity,
      type text not null,
      subject uuid not null,
      sequence text collate "C" not null,
      time timestamptz not null,
      data jsonb not null,
      traceparent text,
      actor_id uuid,
      address text,
      user_agent text,
      request_id text,
      created_at timestamptz not null default now(),
      available_at timestamptz not null default now(),
      attempts integer not null default 0,
      last_error text,
      published_at timestamptz
    )`.execute(db);
  await sql`create unique index outbox_position_key on outbox (position)`.execute(db);
  await sql`create unique index outbox_subject_key on outbox (subject, sequence)`.execute(db);
  // The relay reads the first from its start; the second answers whether an older event of a user is unsent.
  await sql`
    create index outbox_pending_index on outbox (available_at, position) where published_at is null`.execute(
    db,
  );
  await sql`
    create index outbox_pending_subject_index on outbox (subject, position)
    where published_at is null`.execute(db);

  await sql`
    create table inbox (
      event_id uuid not null,
      consumer text not null,
      handled_at timestamptz not null default now(),
      primary key (event_id, consumer)
    )`.execute(db);

  await sql`
    create table audit_log (
      event_id uuid primary key,
      type text not null,
      subject uuid not null,
      time timestamptz not null,
      actor_id uuid,
      address text,
      user_agent text,
      request_id text
    )`.execute(db);
  await sql`create index audit_log_time_index on audit_log (time, event_id)`.execute(db);
  await sql`create index audit_log_subject_index on audit_log (subject, time, event_id)`.execute(db);
  await sql`create index audit_log_actor_index on audit_log (actor_id, time, event_id)`.execute(db);
  await sql`create index audit_log_type_index on audit_log (type, time, event_id)`.execute(db);
}
