import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // Every failed login is as slow as for the most expensive hash: the index finds that one.
  await sql`create index users_hash_cost_index on users (substr(password_hash, 5, 2))`.execute(db);
}
