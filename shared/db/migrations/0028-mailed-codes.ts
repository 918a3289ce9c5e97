import { type Kysely, sql } from 'kysely';

/** Requests for codes to sign in with. Those for an address that no user has are stored too: see `MailedCodesTable`. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table mailed_codes (
      hash bytea primary key,
      id uuid not null unique,
      user_id uuid references users (id) on delete cascade,
      address_hash bytea not null,
      mailed_at timestamptz,
      tries int not null default 0,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index mailed_codes_user_index on mailed_codes (user_id)`.execute(db);
  await sql`create index mailed_codes_address_index on mailed_codes (address_hash)`.execute(db);
  await sql`create index mailed_codes_expiry_index on mailed_codes (expires_at)`.execute(db);

  // The counterpart of `show_password_to_old_version`, which handles no deletions: the version before would go on accepting
  // a password that was removed. It is dropped together with that one.
  await sql`
    create function hide_password_from_old_version() returns trigger language plpgsql as $$
    begin
      update users set password_hash = null where id = old.user_id and password_hash is not null;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger hide_password_from_old_version after delete on passwords
    for each row execute function hide_password_from_old_version()`.execute(db);
}
