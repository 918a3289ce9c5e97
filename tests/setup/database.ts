import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import type { Db } from '../../shared/db/connection';

/** Runs one statement in the server's own database. */
export async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: process.env['TEST_POSTGRES_URL'] });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export function databaseUrl(name: string): string {
  const url = new URL(process.env['TEST_POSTGRES_URL'] ?? '');
  url.pathname = `/${name}`;
  return url.toString();
}

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A database of its own: a copy of the template, which is migrated, or an empty one. */
export async function createTestDatabase(template = process.env['TEST_TEMPLATE']): Promise<TestDatabase> {
  const name = `rollcall_test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} template ${template}`);
  return { url: databaseUrl(name), drop: () => administer(`drop database ${name} with (force)`) };
}

/** Resolves when so many statements in this database wait for locks that another transaction holds. */
export async function untilLockIsAwaited({ db }: { db: Db }, waiters = 1): Promise<void> {
  let waiting = false;
  while (!waiting) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
      db,
    );
    waiting = rows.length >= waiters;
  }
}
