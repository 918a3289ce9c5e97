import { type Kysely, sql } from 'kysely';

/** Every failed login is as slow as for the most expensive hash: the index finds that one among those by Argon2. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index passwords_argon2_work_index on passwords
    ((split_part(split_part(hash, ',', 1), '=', 3)::int * split_part(split_part(hash, ',', 2), '=', 2)::int))
    where hash like '$argon2%'`.execute(db);
}
