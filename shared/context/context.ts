import { type Config, readConfig } from '../config';
import { type Db, openDatabase } from '../db/connection';
import type { Log } from '../log';
import { createPlainContext, type PlainContext } from './plain-context';

/** The dependencies of a flow. Tests pass their own time, ids, database and log. */
export interface Context extends PlainContext {
  db: Db;
  now(): Date;
}

let container: Context | undefined;

/**
 * The container's context, created at the first call and then reused.
 * @param adjust changes the configuration for this function
 */
export function containerContext(adjust: (config: Config) => Config = (config) => config): Context {
  container ??= createContext(adjust(readConfig()));
  return container;
}

/**
 * For background work with long-running statements.
 * @param statementTimeoutMs 0 for no limit; then only TCP keep-alive ends a statement on a dead connection
 */
export function withLongTimeouts(config: Config, statementTimeoutMs = 0): Config {
  const database = {
    ...config.database,
    statementTimeoutMs,
    lockTimeoutMs: statementTimeoutMs,
    idleInTransactionTimeoutMs: statementTimeoutMs,
  };
  return { ...config, database };
}

export function createContext(config: Config, log?: Log): Context {
  const plain = createPlainContext(config, log);
  const db = openDatabase(config.database, (error) =>
    plain.log.warn('A database connection was dropped', { error }),
  );
  return { ...plain, db, now: () => new Date() };
}
