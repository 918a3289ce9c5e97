import { Migrator } from 'kysely';
import type { Db } from './connection';
import { migrations } from './migrations';

/**
 * Brings the schema up to date, all of it in one transaction or nothing of it.
 * Two at once are safe: the second waits for the first and finds nothing left to do.
 * @returns the names of the migrations that were applied
 */
export async function migrateToLatest(db: Db, all = migrations): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => all } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) {
    const failed =
      results.find((result) => result.status === 'Error')?.migrationName ?? 'before the first one';
    throw new Error(`The migration failed (${failed}); nothing was changed`, { cause: error });
  }
  return results.filter((result) => result.status === 'Success').map((result) => result.migrationName);
}
