import { type Kysely, sql } from 'kysely';

/** Logins that wait for a second factor say how they proved the first one. The previous version only has passwords. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table factor_challenges add column amr text[] not null default '{pwd}'`.execute(db);
}
