import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startBroker } from '../local/amqp-broker';
import { freePort } from '../local/ports';
import { startPostgres } from '../local/postgres';
import { createBroker } from '../shared/broker/connection';
import {
  CONSUMER_NAMES,
  DEAD_LETTERS,
  deadExchangeOf,
  declareTopology,
  type PolledQueue,
  queueOf,
  retryExchangeOf,
} from '../shared/broker/topology';
import { readConfig } from '../shared/config';
import { createContext } from '../shared/context/context';
import { migrateToLatest } from '../shared/db/migrate';
import { createLog } from '../shared/log';
import { createPublisher, type PublishingContext } from '../shared/outbox/publisher';

export interface BenchEnvironment {
  ctx: PublishingContext;
  /** Which servers were measured. */
  servers: string;
  close(): Promise<void>;
}

/**
 * A database of its own, on the servers that DATABASE_URL and RABBITMQ_URL name or else on embedded ones, and a
 * context as a container has it: one database connection, cost 10, no log.
 * @param drained takes away what is published, so that it does not pile up where nobody consumes
 */
export async function benchEnvironment(poolSize = 1, drained = true): Promise<BenchEnvironment> {
  const closes: (() => Promise<unknown>)[] = [];
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  await chmod(dataDir, 0o755);
  closes.push(() => rm(dataDir, { recursive: true, force: true }));
  const { DATABASE_URL: realDatabase, RABBITMQ_URL: realBroker } = process.env;
  const postgres = realDatabase ? null : await startPostgres(join(dataDir, 'postgres'), await freePort());
  if (postgres) closes.push(() => postgres.stop());
  const broker = realBroker ? null : await startBroker({ port: 0 });
  if (broker) closes.push(() => broker.stop());

  const server = realDatabase ?? postgres?.url ?? '';
  const name = `rollcall_bench_${randomBytes(4).toString('hex')}`;
  await administer(server, `create database ${name}`);
  closes.push(() => administer(server, `drop database ${name} with (force)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  const config = readConfig({
    DATABASE_URL: url.toString(),
    DATABASE_POOL_SIZE: String(poolSize),
    RABBITMQ_URL: realBroker ?? broker?.url,
    JWT_SECRET: 'a secret of the benchmarks, long enough',
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'silent',
    QUEUE_TYPE: 'classic',
    EVENT_EXCHANGE: `${name}.events`,
    QUEUE_PREFIX: name,
  });
  const base = createContext(config, createLog('silent'));
  const ctx = { ...base, broker: createBroker(config.broker.url, 'rollcall-bench', base.log) };
  await migrateToLatest(ctx.db);
  const { model, channel } = await ctx.broker.open(5_000);
  await declareTopology(model, config.events, ctx.log);
  if (drained) {
    const drain = await model.createChannel();
    await drain.consume(queueOf(config.events, 'audit'), () => {}, { noAck: true });
  }
  closes.push(async () => {
    const { events } = config;
    const retries = events.retryDelaysMs.map((delayMs) => retryExchangeOf(events, delayMs));
    const polled: PolledQueue[] = [...CONSUMER_NAMES, DEAD_LETTERS];
    const queues = polled.map((one) => queueOf(events, one));
    for (const queue of [...queues, ...retries]) await channel.deleteQueue(queue);
    for (const exchange of [events.exchange, ...retries, deadExchangeOf(events)])
      await channel.deleteExchange(exchange);
    await ctx.broker.close();
    await ctx.db.destroy();
  });
  const of = (real: string | undefined, product: string) =>
    real ? `real ${product}` : `embedded ${product}`;
  return {
    ctx: { ...ctx, publisher: createPublisher(ctx) },
    servers: `${of(realDatabase, 'PostgreSQL')}, ${of(realBroker, 'broker')}`,
    close: async () => {
      for (const close of closes.reverse()) await close();
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
