import { type Kysely, sql } from 'kysely';

/** Second factors. The previous version neither reads nor writes any of it, and so does not ask for a factor. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table factors (
      id uuid primary key,
      user_id uuid not null references users (id) on delete cascade,
      type text not null,
      secret bytea not null,
      created_at timestamptz not null,
      confirmed_at timestamptz,
      last_step bigint,
      last_used_at timestamptz
    )`.execute(db);
  await sql`create index factors_user_index on factors (user_id)`.execute(db);
  await sql`
    create table recovery_codes (
      user_id uuid not null references users (id) on delete cascade,
      hash bytea not null,
      primary key (user_id, hash)
    )`.execute(db);
  await sql`
    create table factor_challenges (
      hash bytea primary key,
      user_id uuid not null references users (id) on delete cascade,
      password_digest bytea not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index factor_challenges_user_index on factor_challenges (user_id)`.execute(db);
  await sql`create index factor_challenges_expiry_index on factor_challenges (expires_at)`.execute(db);
  await sql`alter table roles add column requires_factor boolean not null default false`.execute(db);
}
