import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import { DatabaseError, Pool } from 'pg';
import type { Tables } from './tables';

export type Db = Kysely<Tables>;
/** What a function demands that must not run outside a transaction. */
export type Tx = Transaction<Tables>;

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * A pool that connects on first use. One connection is enough for a Lambda container, which serves one request
 * at a time. Works behind a transaction pooler: no session state, no LISTEN, no named statements.
 * @param onError told of a connection that broke while idle; the pool has already dropped it
 */
export function openDatabase(url: string, poolSize: number, onError: (error: Error) => void): Db {
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // An idle connection must not keep a script from ending; a server has other reasons to stay.
    allowExitOnIdle: true,
  });
  // Without listeners, a restart of the database would end the process: the pool hears of idle connections only, and
  // one that breaks between two statements of a transaction is not idle. Its next statement fails.
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** The name of the foreign key that a change would have broken, or null for any other error. */
export function violatedForeignKey(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23503' ? (error.constraint ?? null) : null;
}

/** The name of the unique constraint or index that an insert or update ran into, or null for any other error. */
export function violatedUniqueConstraint(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23505' ? (error.constraint ?? null) : null;
}
