import { type Kysely, sql } from 'kysely';

/**
 * Whether a former address was verified. Of the addresses from before, and of those that the previous version stores until it has
 * been replaced, nobody knows: they count as verified, so an undo leaves passkeys as it did.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`alter table former_emails add column verified boolean not null default true`.execute(db);
}
