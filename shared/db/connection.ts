import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Transaction,
} from 'kysely';
import { DatabaseError } from 'pg';
import { PooledDriver } from './driver';
import type { ConnectionLimits } from './pooled-connection';
import { StatementNames } from './statement-names';
import type { Tables } from './tables';
import { TrustedPool } from './trusted-pool';

export type Db = Kysely<Tables>;
/** What a function demands that must not run outside a transaction. */
export type Tx = Transaction<Tables>;

const CONNECT_TIMEOUT_MS = 5_000;

export interface DatabaseOptions extends Partial<ConnectionLimits> {
  url: string;
  /** One is enough for a Lambda container, which serves one request at a time. */
  poolSize: number;
  connectTimeoutMs?: number;
  /** Whether statements that come often are prepared, which some transaction poolers forbid. */
  prepared?: boolean;
}

/**
 * A pool that connects on first use. Works behind a transaction pooler: no session state, no LISTEN, no parameters at
 * connecting, and named statements only where `prepared` allows them. Without limits of its own, a statement may take as long as it likes.
 * @param onDropped told of a connection that broke while it was idle, or was found broken and replaced
 */
export function openDatabase(options: DatabaseOptions, onDropped: (error: Error) => void): Db {
  const {
    url,
    poolSize,
    connectTimeoutMs = CONNECT_TIMEOUT_MS,
    statementTimeoutMs = 0,
    lockTimeoutMs = 0,
    idleInTransactionTimeoutMs = 0,
    prepared = false,
  } = options;
  const pool = new TrustedPool({ url, poolSize, connectTimeoutMs, onDropped });
  const limits = { statementTimeoutMs, lockTimeoutMs, idleInTransactionTimeoutMs };
  const names = prepared ? new StatementNames() : null;
  return new Kysely<Tables>({
    dialect: {
      createDriver: () => new PooledDriver(pool, limits, names),
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (db) => new PostgresIntrospector(db),
    },
  });
}

/** The name of the foreign key that a change would have broken, or null for any other error. */
export function violatedForeignKey(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23503' ? (error.constraint ?? null) : null;
}

/** The name of the unique constraint or index that an insert or update ran into, or null for any other error. */
export function violatedUniqueConstraint(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23505' ? (error.constraint ?? null) : null;
}
