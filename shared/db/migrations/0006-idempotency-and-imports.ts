import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // No reference to users: a key outlives its user, or a late retry would bring back whom its owner has deleted.
  await sql`
    create table idempotency_keys (
      key bytea primary key,
      fingerprint bytea not null,
      user_id uuid not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`create index idempotency_keys_expires_index on idempotency_keys (expires_at)`.execute(db);

  // How far the import of a file has come, by the SHA-256 of its content. Advanced by each batch's own transaction.
  await sql`
    create table user_imports (
      file_hash bytea primary key,
      position bigint not null default 0,
      lines integer not null default 0,
      imported integer not null default 0,
      skipped integer not null default 0,
      bad integer not null default 0,
      started_at timestamptz not null,
      finished_at timestamptz
    )`.execute(db);
}
