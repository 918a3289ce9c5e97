import { type Kysely, sql } from 'kysely';

/** Passkeys. The previous version neither reads nor writes any of it, and so does not ask for one as the second factor. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table passkeys (
      id uuid primary key,
      user_id uuid not null references users (id) on delete cascade,
      credential_id bytea not null unique,
      public_key bytea not null,
      sign_count bigint not null,
      backup_eligible boolean not null,
      backed_up boolean not null,
      transports text[] not null,
      name text not null,
      created_at timestamptz not null,
      last_used_at timestamptz,
      suspected_clone_at timestamptz
    )`.execute(db);
  await sql`create index passkeys_user_index on passkeys (user_id)`.execute(db);
  await sql`
    create table passkey_challenges (
      hash bytea primary key,
      user_id uuid references users (id) on delete cascade,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index passkey_challenges_user_index on passkey_challenges (user_id)`.execute(db);
  await sql`create index passkey_challenges_expiry_index on passkey_challenges (expires_at)`.execute(db);
}
