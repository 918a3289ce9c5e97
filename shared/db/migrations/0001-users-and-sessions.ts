import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  await sql`
    create table roles (
      name text primary key,
      permissions text[] not null
    )`.execute(db);
  // The permissions of these two are fixed in the code; the rows are here for users.role to refer to.
  await sql`insert into roles (name, permissions) values ('user', '{}'), ('admin', '{}')`.execute(db);

  // Collation "C": both are ASCII by validation, so lower() folds the same on every server, whatever its
  // locale (in Turkish the lower case of I is not i), and a prefix search can use the index.
  await sql`
    create table users (
      id uuid primary key,
      username text collate "C" not null,
      email text collate "C",
      email_verified boolean not null default false,
      password_hash text not null,
      display_name text,
      metadata jsonb not null,
      role text not null references roles (name),
      version integer not null default 1,
      minor_version integer not null default 0,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`.execute(db);
  await sql`create unique index users_username_key on users (lower(username))`.execute(db);
  await sql`create unique index users_email_key on users (lower(email))`.execute(db);
  await sql`create index users_role_index on users (role, id)`.execute(db);

  await sql`
    create table sessions (
      id uuid primary key,
      user_id uuid not null references users (id) on delete cascade,
      created_at timestamptz not null,
      last_used_at timestamptz not null,
      expires_at timestamptz not null,
      revoked_at timestamptz,
      address text,
      user_agent text
    )`.execute(db);
  await sql`create index sessions_user_index on sessions (user_id)`.execute(db);

  await sql`
    create table refresh_tokens (
      hash bytea primary key,
      session_id uuid not null references sessions (id) on delete cascade,
      created_at timestamptz not null,
      used_at timestamptz
    )`.execute(db);
  await sql`create index refresh_tokens_session_index on refresh_tokens (session_id)`.execute(db);
}
