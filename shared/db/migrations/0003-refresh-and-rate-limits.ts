import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table sessions add column rotation_seed bytea`.execute(db);
  // A refresh looks at the session's token of today and at those used of late, not at a week of used ones.
  await sql`drop index refresh_tokens_session_index`.execute(db);
  await sql`create index refresh_tokens_session_index on refresh_tokens (session_id, used_at)`.execute(db);

  // Unlogged: counting costs no write to disk before a request goes on. What a crash of the server loses is how
  // often somebody tried in the last minutes.
  await sql`
    create unlogged table rate_limits (
      key bytea primary key,
      used integer not null,
      resets_at timestamptz not null
    ) with (fillfactor = 70)`.execute(db);
  await sql`create index rate_limits_resets_index on rate_limits (resets_at)`.execute(db);
}
