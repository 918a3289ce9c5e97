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
  deadExchangeOf,
  declareTopology,
  POLLED_QUEUES,
  queueOf,
  retryExchangeOf,
} from '../shared/broker/topology';
import { readConfig } from '../shared/config';
import { createContext } from '../shared/context/context';
import { migrateToLatest } from '../shared/db/migrate';
import { createLog } from '../shared/log';
import { createPublisher, type PublishingContext } from '../shared/outbox/publisher';

const UNREACHED = '100000000/3600';

/** For a service that is measured: limits are counted as usual, and never reached. */
export const HIGH_LIMITS = {
  RATE_LIMIT_LOGIN_ACCOUNT: UNREACHED,
  RATE_LIMIT_LOGIN_ACCOUNT_DAY: UNREACHED,
  RATE_LIMIT_LOGIN_ADDRESS: UNREACHED,
  RATE_LIMIT_REGISTER_ADDRESS: UNREACHED,
};

export interface BenchServers {
  databaseUrl: string;
  brokerUrl: string;
  /** Which servers are measured. */
  names: string;
  close(): Promise<void>;
}

/** The servers that DATABASE_URL and RABBITMQ_URL name, or else embedded ones. */
export async function benchServers(): Promise<BenchServers> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  // For root, PostgreSQL runs as another user.
  await chmod(dataDir, 0o755);
  const { DATABASE_URL: realDatabase, RABBITMQ_URL: realBroker } = process.env;
  const postgres = realDatabase ? null : await startPostgres(join(dataDir, 'postgres'), await freePort());
  const broker = realBroker ? null : await startBroker({ port: 0 });
  const of = (real: string | undefined, product: string) =>
    real ? `real ${product}` : `embedded ${product}`;
  return {
    databaseUrl: realDatabase ?? postgres?.url ?? '',
    brokerUrl: realBroker ?? broker?.url ?? '',
    names: `${of(realDatabase, 'PostgreSQL')}, ${of(realBroker, 'broker')}`,
    close: async () => {
      await broker?.stop();
      await postgres?.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface BenchService {
  /** The variables of a service that is measured. */
  environment: Record<string, string>;
  /** On the same database and exchange, for this process: without log and limits. */
  ctx: PublishingContext;
  close(): Promise<void>;
}

/** A database and names of its own on these servers, migrated, with its topology declared. */
export async function benchService(servers: BenchServers, poolSize = 1): Promise<BenchService> {
  const name = `rollcall_bench_${randomBytes(4).toString('hex')}`;
  await administer(servers.databaseUrl, `create database ${name}`);
  const url = new URL(servers.databaseUrl);
  url.pathname = `/${name}`;
  const environment = {
    DATABASE_URL: url.toString(),
    RABBITMQ_URL: servers.brokerUrl,
    JWT_SECRET: 'a secret of the benchmarks, long enough',
    QUEUE_TYPE: 'classic',
    EVENT_EXCHANGE: `${name}.events`,
    QUEUE_PREFIX: name,
  };
  const ctx = benchContext(environment, poolSize);
  await migrateToLatest(ctx.db);
  const { model, channel } = await ctx.broker.open(5_000);
  await declareTopology(model, ctx.config.events, ctx.log);
  return {
    environment,
    ctx,
    close: async () => {
      const { events } = ctx.config;
      const retries = events.retryDelaysMs.map((delayMs) => retryExchangeOf(events, delayMs));
      const polled = POLLED_QUEUES;
      const queues = polled.map((one) => queueOf(events, one));
      for (const queue of [...queues, ...retries]) await channel.deleteQueue(queue);
      for (const exchange of [events.exchange, ...retries, deadExchangeOf(events)])
        await channel.deleteExchange(exchange);
      await ctx.broker.close();
      await ctx.db.destroy();
      await administer(servers.databaseUrl, `drop database ${name} with (force)`);
    },
  };
}

/** For this process, beside a service with these variables: without log and limits. */
export function benchContext(environment: Record<string, string>, poolSize = 1): PublishingContext {
  const config = readConfig({
    ...environment,
    DATABASE_POOL_SIZE: String(poolSize),
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'silent',
  });
  const base = createContext(config, createLog('silent'));
  const ctx = { ...base, broker: createBroker(config.broker.url, 'rollcall-bench', base.log) };
  return { ...ctx, publisher: createPublisher(ctx) };
}

export interface BenchEnvironment {
  ctx: PublishingContext;
  /** Which servers were measured. */
  servers: string;
  close(): Promise<void>;
}

/**
 * Servers and a context as a container has it: one database connection, cost 10, no log.
 * @param drained takes away what is published, so that it does not pile up where nobody consumes
 */
export async function benchEnvironment(poolSize = 1, drained = true): Promise<BenchEnvironment> {
  const servers = await benchServers();
  const service = await benchService(servers, poolSize);
  const { ctx } = service;
  if (drained) {
    const { model } = await ctx.broker.open(5_000);
    const drain = await model.createChannel();
    await drain.consume(queueOf(ctx.config.events, 'audit'), () => {}, { noAck: true });
  }
  return {
    ctx,
    servers: servers.names,
    close: async () => {
      await service.close();
      await servers.close();
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
