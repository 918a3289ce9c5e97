import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // Per consumer, the events that are on their way around through a retry queue. The second index answers whether an
  // earlier event of a user is among them.
  await sql`
    create table retrying_events (
      consumer text not null,
      event_id uuid not null,
      subject uuid not null,
      sequence text collate "C" not null,
      due_at timestamptz not null,
      primary key (consumer, event_id)
    )`.execute(db);
  await sql`
    create index retrying_events_subject_index on retrying_events (consumer, subject, sequence)`.execute(db);

  await sql`
    create table consumer_sequences (
      consumer text not null,
      subject uuid not null,
      sequence text collate "C" not null,
      primary key (consumer, subject)
    )`.execute(db);

  // A body is either one of our events, or bytes that are none.
  await sql`
    create table dead_letters (
      id uuid primary key,
      fingerprint bytea not null unique,
      queue text not null,
      message_id text,
      event jsonb,
      body bytea,
      subject uuid,
      error text not null,
      attempts integer not null,
      failed_at timestamptz not null default now(),
      check ((event is null) = (body is not null))
    )`.execute(db);
  await sql`create index dead_letters_queue_index on dead_letters (queue, id)`.execute(db);
  await sql`create index dead_letters_subject_index on dead_letters (subject)`.execute(db);

  // Events on their way to one queue only. Without an event of its own, a row sends the one in the outbox.
  await sql`
    create table redeliveries (
      position bigint primary key generated always as identity,
      queue text not null,
      event_id uuid not null,
      subject uuid not null,
      event jsonb,
      created_at timestamptz not null default now(),
      available_at timestamptz not null default now(),
      attempts integer not null default 0,
      last_error text
    )`.execute(db);
  await sql`create index redeliveries_due_index on redeliveries (available_at, position)`.execute(db);
  await sql`create index redeliveries_subject_index on redeliveries (subject, queue, position)`.execute(db);
  await sql`create index redeliveries_event_index on redeliveries (event_id)`.execute(db);
}
