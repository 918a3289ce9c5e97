import { type Kysely, sql } from 'kysely';

/** Erasures with receipts. A case names no person: it outlives the user whom it is about. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table data_holders (
      name text primary key,
      contact text,
      deadline_seconds integer not null,
      queue text,
      key_hash bytea unique,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`.execute(db);
  await sql`
    create table erasure_cases (
      id uuid primary key,
      user_id uuid not null unique,
      event_id uuid not null,
      sequence text not null,
      address_hash bytea,
      requested_by text not null,
      opened_at timestamptz not null,
      completed_at timestamptz
    )`.execute(db);
  await sql`create index erasure_cases_address_index on erasure_cases (address_hash)`.execute(db);
  await sql`create index erasure_cases_open_index on erasure_cases (id) where completed_at is null`.execute(
    db,
  );
  await sql`
    create table erasure_receipts (
      case_id uuid not null references erasure_cases (id) on delete cascade,
      holder text not null,
      due_at timestamptz not null,
      outcome text,
      received_at timestamptz,
      received_by text,
      reminded_at timestamptz,
      reminders integer not null default 0,
      primary key (case_id, holder)
    )`.execute(db);
  await sql`
    create index erasure_receipts_awaited_index on erasure_receipts (due_at) where received_at is null`.execute(
    db,
  );
}
