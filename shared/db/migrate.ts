import { setTimeout as wait } from 'node:timers/promises';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import type { Db } from './connection';
import { migrations } from './migrations';
import { isDeadlock, isLockTimeout } from './unavailable';

/**
 * How long a statement may wait for a table, and with it every query that comes after it: PostgreSQL serves a queue for
 * a lock in order, also those that would not be in each other's way.
 */
const LOCK_TIMEOUT_MS = 2_000;

/** How often a migration is tried that finds a table in use, and the pauses in which the others go on. */
export interface LockRetries {
  tries: number;
  pauseMs: number;
}

/**
 * Brings the schema up to date, all of it in one transaction or nothing of it. A table that long transactions use is
 * waited for in short tries, so that queries go on meanwhile.
 * Two at once are safe: the second waits for the first and finds nothing left to do.
 * @returns the names of the migrations that were applied
 */
export async function migrateToLatest(
  db: Db,
  all: Record<string, Migration> = migrations,
  { tries, pauseMs }: LockRetries = { tries: 20, pauseMs: 5_000 },
): Promise<string[]> {
  const provider = { getMigrations: async () => withLockTimeout(all) };
  const migrator = new Migrator({ db, provider });
  for (let tried = 1; ; tried++) {
    const { error, results = [] } = await migrator.migrateToLatest();
    if (!error)
      return results.filter((result) => result.status === 'Success').map((result) => result.migrationName);
    const tableInUse = isLockTimeout(error) || isDeadlock(error);
    if (!tableInUse || tried === tries) {
      const failed =
        results.find((result) => result.status === 'Error')?.migrationName ?? 'before the first one';
      const reason = tableInUse
        ? `; a table stayed in use by another transaction: end it (see pg_stat_activity), and migrate again`
        : '';
      throw new Error(`The migration failed (${failed}); nothing was changed${reason}`, { cause: error });
    }
    await wait(pauseMs);
  }
}

function withLockTimeout(all: Record<string, Migration>): Record<string, Migration> {
  const limited = Object.entries(all).map(([name, { up }]) => [
    name,
    {
      up: async (db: Kysely<unknown>) => {
        // For this transaction: behind a transaction pooler a session has no settings.
        await sql`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`.execute(db);
        await up(db);
      },
    },
  ]);
  return Object.fromEntries(limited);
}
