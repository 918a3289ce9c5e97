import { type Kysely, sql } from 'kysely';

/** Exports of a user's data, which go with the user: an erasure reaches what was collected for them. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table export_cases (
      id uuid primary key,
      user_id uuid not null references users (id) on delete cascade,
      requested_by text not null,
      opened_at timestamptz not null,
      ready_at timestamptz,
      expires_at timestamptz
    )`.execute(db);
  await sql`create index export_cases_user_index on export_cases (user_id)`.execute(db);
  await sql`create index export_cases_open_index on export_cases (opened_at) where ready_at is null`.execute(
    db,
  );
  await sql`create index export_cases_expires_index on export_cases (expires_at)`.execute(db);
  await sql`
    create table export_receipts (
      case_id uuid not null references export_cases (id) on delete cascade,
      holder text not null,
      due_at timestamptz not null,
      outcome text,
      received_at timestamptz,
      received_by text,
      part bytea,
      primary key (case_id, holder)
    )`.execute(db);
  // Encrypted bytes do not compress.
  await sql`alter table export_receipts alter column part set storage external`.execute(db);
}
