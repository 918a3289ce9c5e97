import { setTimeout as wait } from 'node:timers/promises';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import type { Db } from './connection';
import { migrations } from './migrations';
import { isDeadlock, isLockTimeout } from './unavailable';

/**
 * How long a statement may wait for a table lock. All later queries on the table wait behind it, even compatible ones,
 * because PostgreSQL grants locks in order. Less than half of the server's `deadlock_timeout` (1 s by default): in a deadlock
 * with a request, the migration gives up before the server looks for one and ends the request.
 */
const LOCK_TIMEOUT_MS = 400;

/** Attempts if a table is locked, and the pause between them, in which other transactions continue. */
export interface LockRetries {
  tries: number;
  pauseMs: number;
}

/**
 * Applies all pending migrations in one transaction. Retries with a short lock timeout if long transactions use a table,
 * so that other queries continue meanwhile. Concurrent calls are safe: the second waits for the first and finds nothing
 * to do.
 * @returns the names of the applied migrations
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
        ? `; another transaction kept a table locked: end it (see pg_stat_activity) and migrate again`
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
        // Only for this transaction: sessions have no settings behind a transaction pooler.
        await sql`select set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, true)`.execute(db);
        await up(db);
      },
    },
  ]);
  return Object.fromEntries(limited);
}
