import { sql } from 'kysely';
import { type Db, openDatabase } from '../../shared/db/connection';
import { createTestDatabase } from './database';
import { startProxy, type TcpProxy } from './proxy';

/** A database behind a proxy, with a table to write to, and a connection past the proxy to look at it. */
export interface FlakyDatabase {
  /** Past the proxy. */
  url: string;
  proxy: TcpProxy;
  /** Through the proxy. */
  db: Db;
  /** Past it. */
  direct: Db;
  /** What was told of connections that were dropped. */
  dropped: Error[];
  close(): Promise<void>;
}

/** Longer than an idle connection is relied on without a check. */
const FREEZE_MS = 1_100;

export async function flakyDatabase(poolSize = 1, statementTimeoutMs = 30_000): Promise<FlakyDatabase> {
  const database = await createTestDatabase();
  const proxy = await startProxy(database.url);
  const dropped: Error[] = [];
  const limits = {
    connectTimeoutMs: 20_000,
    statementTimeoutMs,
    lockTimeoutMs: 20_000,
    idleInTransactionTimeoutMs: 20_000,
  };
  const db = openDatabase({ url: proxy.url, poolSize, ...limits }, (error) => void dropped.push(error));
  const direct = openDatabase({ url: database.url, poolSize: 2 }, () => {});
  await sql`create table notes (text text)`.execute(direct);
  return {
    url: database.url,
    proxy,
    db,
    direct,
    dropped,
    close: async () => {
      await db.destroy();
      await direct.destroy();
      await proxy.stop();
      await database.drop();
    },
  };
}

/** Stands still as a frozen container does: no timer fires, nothing is read. */
export function freeze(ms = FREEZE_MS): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Ends every other connection to this database: a restart, an idle limit, an administrator. */
export async function endBackends(direct: Db): Promise<void> {
  await sql`
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`.execute(direct);
}

export async function note(db: Db, text: string): Promise<void> {
  await sql`insert into notes (text) values (${text})`.execute(db);
}

export async function notes(db: Db): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`select text from notes order by text`.execute(db);
  return rows.map(({ text }) => text);
}

export async function backendPid(db: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? 0;
}
