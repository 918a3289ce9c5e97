import { type Config, readConfig } from '../config';
import { type Db, openDatabase } from '../db/connection';
import type { Log } from '../log';
import { createPlainContext, type PlainContext } from './plain-context';

/** What the world offers to a flow. Tests hand in their own time, ids, database and log. */
export interface Context extends PlainContext {
  db: Db;
  now(): Date;
}

let container: Context | undefined;

/**
 * The container's context, built at its first call and kept while the container lives.
 * @param adjust what its function needs otherwise
 */
export function containerContext(adjust: (config: Config) => Config = (config) => config): Context {
  container ??= createContext(adjust(readConfig()));
  return container;
}

/**
 * For work whose single statements take long and hold up nobody who waits for an answer.
 * @param statementTimeoutMs 0 for no limit: a dead path then ends a statement by TCP's keep-alive alone
 */
export function patient(config: Config, statementTimeoutMs = 0): Config {
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
