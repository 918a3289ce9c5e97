import { uuidv7 } from 'uuidv7';
import { type Config, readConfig } from './config';
import { type Db, openDatabase } from './db/connection';
import { createLog, type Log } from './log';

/** What the world offers to a flow. Tests hand in their own time, ids, database and log. */
export interface Context {
  config: Config;
  db: Db;
  now(): Date;
  /** A UUIDv7 (RFC 9562): sorts by time, so that new rows land at the end of their indexes. */
  newId(): string;
  log: Log;
}

let container: Context | undefined;

/** The container's context, built at its first call and kept while the container lives. */
export function containerContext(): Context {
  container ??= createContext(readConfig());
  return container;
}

export function createContext(config: Config, log: Log = createLog(config.logLevel)): Context {
  const db = openDatabase(config.database.url, config.database.poolSize, (error) =>
    log.warn('An idle database connection broke', { error }),
  );
  return { config, db, now: () => new Date(), newId: uuidv7, log };
}
