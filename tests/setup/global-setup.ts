import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from '../../local/amqp-broker';
import { freePort } from '../../local/ports';
import { startPostgres } from '../../local/postgres';
import { buildFunctions } from '../../scripts/bundle';
import { openDatabase } from '../../shared/db/connection';
import { migrateToLatest } from '../../shared/db/migrate';
import { administer, databaseUrl } from './database';

/** Stops what this run started, in the reverse order. */
const cleanups: (() => Promise<void>)[] = [];

/**
 * The servers that all suites share: the embedded pair, or the real ones that the environment names. Suites keep
 * out of each other's way with databases and queue names of their own.
 */
export default async function globalSetup(): Promise<void> {
  // As in local/start.ts: which Node.js the SDK wants next year is no matter of the tests.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-test-'));
  // As root, PostgreSQL runs as another user, who has to get in.
  await chmod(dataDir, 0o755);
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }));
  const [server, broker] = await Promise.all([postgresServer(dataDir), brokerServer(), buildFunctions()]);
  process.env['TEST_POSTGRES_URL'] = server;
  process.env['TEST_RABBITMQ_URL'] = broker;

  const template = `rollcall_template_${process.pid}`;
  process.env['TEST_TEMPLATE'] = template;
  await administer(`create database ${template}`);
  cleanups.push(() => administer(`drop database ${template} with (force)`));
  const db = openDatabase({ url: databaseUrl(template), poolSize: 1 }, () => {});
  await migrateToLatest(db);
  // PostgreSQL copies a template only while nobody is connected to it.
  await db.destroy();
}

export async function globalTeardown(): Promise<void> {
  for (const cleanup of cleanups.reverse()) await cleanup();
}

async function postgresServer(dataDir: string): Promise<string> {
  const real = process.env['DATABASE_URL'];
  if (real) return real;
  const postgres = await startPostgres(join(dataDir, 'postgres'), await freePort());
  cleanups.push(() => postgres.stop());
  return postgres.url;
}

async function brokerServer(): Promise<string> {
  const real = process.env['RABBITMQ_URL'];
  if (real) return real;
  const broker = await startBroker({ port: 0 });
  cleanups.push(() => broker.stop());
  return broker.url;
}
