import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // An address that the user wants and has not proven yet. Several users may want one; the first to prove it gets it.
  await sql`alter table users add column pending_email text collate "C"`.execute(db);

  // Addresses that a user had, for as long as a change can be undone; meanwhile nobody else can take them. `version` is
  // the user's at the change: it tells which of two addresses was the earlier one.
  await sql`
    create table former_emails (
      user_id uuid not null references users (id) on delete cascade,
      address text collate "C" not null,
      version integer not null,
      restorable_until timestamptz not null,
      primary key (user_id, address)
    )`.execute(db);
  await sql`create index former_emails_address_index on former_emails (lower(address))`.execute(db);
  await sql`create index former_emails_expiry_index on former_emails (restorable_until)`.execute(db);

  await sql`
    alter table email_tokens drop constraint email_tokens_purpose_check,
      add constraint email_tokens_purpose_check
      check (purpose in ('verify_email', 'reset_password', 'undo_email_change'))`.execute(db);
}
