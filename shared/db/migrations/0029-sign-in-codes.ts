import { type Kysely, sql } from 'kysely';

/** Codes by which the hosted pages hand a session to an app. The previous version neither reads nor writes them. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table sign_in_codes (
      hash bytea primary key,
      session_id uuid not null references sessions (id) on delete cascade,
      token_hash bytea not null,
      return_to text not null,
      code_challenge text,
      expires_at timestamptz not null,
      used_at timestamptz
    )`.execute(db);
  await sql`create index sign_in_codes_session_index on sign_in_codes (session_id)`.execute(db);
  await sql`create index sign_in_codes_expiry_index on sign_in_codes (expires_at)`.execute(db);
}
