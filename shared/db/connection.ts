import {
  type Dialect,
  DummyDriver,
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
/** Parameter type of functions that must run inside a transaction. */
export type Tx = Transaction<Tables>;

/** kysely's parts for PostgreSQL, without a driver. */
export const POSTGRES: Dialect = {
  createDriver: () => new DummyDriver(),
  createAdapter: () => new PostgresAdapter(),
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createIntrospector: (db) => new PostgresIntrospector(db),
};

const CONNECT_TIMEOUT_MS = 5_000;

export interface DatabaseOptions extends Partial<ConnectionLimits> {
  url: string;
  /** 1 is enough for a Lambda container, which handles one request at a time. */
  poolSize: number;
  connectTimeoutMs?: number;
  /** Prepares frequent statements, which some transaction poolers do not support. */
  prepared?: boolean;
}

/**
 * A pool that connects on first use. Works behind a transaction pooler: uses no session state, LISTEN or startup
 * parameters, and named statements only if `prepared` allows them. By default, statements have no time limit.
 * @param onDropped called when a connection broke while idle, or was found broken and replaced
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
    dialect: { ...POSTGRES, createDriver: () => new PooledDriver(pool, limits, names) },
  });
}

/** The name of the violated foreign key, or null for any other error. */
export function violatedForeignKey(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23503' ? (error.constraint ?? null) : null;
}

/** The name of the violated unique constraint or index, or null for any other error. */
export function violatedUniqueConstraint(error: unknown): string | null {
  return error instanceof DatabaseError && error.code === '23505' ? (error.constraint ?? null) : null;
}
