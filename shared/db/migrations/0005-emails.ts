import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table email_tokens (
      hash bytea primary key,
      user_id uuid not null references users (id) on delete cascade,
      purpose text not null check (purpose in ('verify_email', 'reset_password')),
      address text collate "C" not null,
      password_digest bytea,
      created_at timestamptz not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index email_tokens_user_index on email_tokens (user_id, purpose)`.execute(db);
  await sql`create index email_tokens_expiry_index on email_tokens (expires_at)`.execute(db);

  // Whoever verifies a second address has been welcomed before.
  await sql`
    create table welcomed_users (
      user_id uuid primary key references users (id) on delete cascade,
      welcomed_at timestamptz not null
    )`.execute(db);
}
