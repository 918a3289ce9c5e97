import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table webhook_endpoints (
      id uuid primary key,
      url text not null,
      event_types text[] not null,
      description text,
      retry_delays_seconds integer[],
      secret bytea not null,
      previous_secret bytea,
      previous_secret_expires_at timestamptz,
      disabled_at timestamptz,
      disabled_reason text check (disabled_reason in ('requested', 'gone', 'failing')),
      failing_since timestamptz,
      failures integer not null default 0,
      paused_until timestamptz,
      version integer not null default 1,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      check ((disabled_at is null) = (disabled_reason is null)),
      check ((previous_secret is null) = (previous_secret_expires_at is null))
    )`.execute(db);

  // No foreign key to the event: a test is none, and the log forgets events in its own time.
  await sql`
    create table webhook_deliveries (
      endpoint_id uuid not null references webhook_endpoints (id) on delete cascade,
      event_id uuid not null,
      type text not null,
      status text not null default 'pending' check (status in ('pending', 'succeeded', 'failed')),
      attempts integer not null default 0,
      attempts_before_schedule integer not null default 0,
      attempt_log jsonb not null default '[]',
      next_attempt_at timestamptz not null default now(),
      claimed_until timestamptz,
      created_at timestamptz not null default now(),
      finished_at timestamptz,
      primary key (endpoint_id, event_id),
      check ((status = 'pending') = (finished_at is null))
    )`.execute(db);
  // What is due of an endpoint, how much of it is under way, a list by status, and what is old enough to go.
  await sql`
    create index webhook_deliveries_due_index on webhook_deliveries (endpoint_id, next_attempt_at, event_id)
    where status = 'pending'`.execute(db);
  await sql`
    create index webhook_deliveries_claimed_index on webhook_deliveries (endpoint_id, claimed_until)
    where claimed_until is not null`.execute(db);
  await sql`
    create index webhook_deliveries_status_index on webhook_deliveries (endpoint_id, status, event_id)`.execute(
    db,
  );
  // For a user who is deleted.
  await sql`create index webhook_deliveries_event_index on webhook_deliveries (event_id)`.execute(db);
  await sql`
    create index webhook_deliveries_finished_index on webhook_deliveries (finished_at)
    where finished_at is not null`.execute(db);
}
