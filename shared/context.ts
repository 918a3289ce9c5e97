import { type Config, readConfig } from './config';
import { type Db, openDatabase } from './db/connection';
import type { Log } from './log';
import { createPlainContext, type PlainContext } from './plain-context';

/** What the world offers to a flow. Tests hand in their own time, ids, database and log. */
export interface Context extends PlainContext {
  db: Db;
  now(): Date;
}

let container: Context | undefined;

/** The container's context, built at its first call and kept while the container lives. */
export function containerContext(): Context {
  container ??= createContext(readConfig());
  return container;
}

export function createContext(config: Config, log?: Log): Context {
  const plain = createPlainContext(config, log);
  const db = openDatabase(config.database.url, config.database.poolSize, (error) =>
    plain.log.warn('An idle database connection broke', { error }),
  );
  return { ...plain, db, now: () => new Date() };
}
