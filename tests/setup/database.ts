import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

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

/** A migrated database of its own, as a copy of the template. */
export async function createTestDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `rollcall_test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} template ${process.env['TEST_TEMPLATE']}`);
  return { url: databaseUrl(name), drop: () => administer(`drop database ${name} with (force)`) };
}
