import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import { Client } from 'pg';
import { CONSUMER_NAMES, declareTopology } from '../../shared/broker/topology';
import { type Config, readConfig } from '../../shared/config';
import { type Db, openDatabase } from '../../shared/db/connection';
import { migrateToLatest } from '../../shared/db/migrate';
import { createLog } from '../../shared/log';
import { startProxy, type TcpProxy } from '../setup/proxy';
import type { ContainerSettings, FromContainer, Role } from './container';
import { Container, type CrashPlan } from './containers';
import { countOpen, createEffectTables } from './effects';
import type { Servers } from './servers';
import { Tap } from './tap';

/** Requests that are under way at any time: each in a container of its own. */
const API_CONTAINERS = 4;
const FOREVER_MS = 24 * 60 * 60 * 1000;
/** What is still open after this long will stay so. */
const SETTLE_TIMEOUT_MS = 240_000;

export interface ScenarioOptions {
  environment?: Record<string, string>;
  settings?: Partial<Record<Role, Partial<ContainerSettings>>>;
  crashes?: Partial<Record<Role, CrashPlan>>;
  /** How many pollers work at once; one by default. */
  pollers?: number;
  /** The containers reach the database through a proxy, which costs time: where that is what the row is about. */
  databaseThroughProxy?: true;
}

/** A deployment of its own, on the suite's servers: containers, database, exchange, and a proxy before the broker. */
export class Scenario {
  readonly latencies: number[] = [];
  readonly acknowledged: string[] = [];
  /** Registrations that were answered with anything but 201. */
  readonly refused: number[] = [];
  readonly logged: Record<string, unknown>[] = [];
  readonly containers: Container[] = [];
  /** Runs of a poller that has handled something and left the rest to the next one. */
  handovers = 0;
  #total = 0;
  /** The containers that have a request in their hands. */
  readonly #busy = new Set<Container>();
  #waiters: (() => void)[] = [];

  private constructor(
    readonly servers: Servers,
    readonly config: Config,
    readonly db: Db,
    readonly proxy: TcpProxy,
    /** Before the database, where the row has asked for it. */
    readonly database: TcpProxy,
    readonly tap: Tap,
    readonly model: ChannelModel,
  ) {}

  static async open(servers: Servers, bundle: string, options: ScenarioOptions): Promise<Scenario> {
    const name = `faults_${randomBytes(4).toString('hex')}`;
    await administer(servers.postgres.url, `create database ${name}`);
    const databaseUrl = new URL(servers.postgres.url);
    databaseUrl.pathname = `/${name}`;
    const proxy = await startProxy(servers.rabbit.url);
    const database = await startProxy(databaseUrl.toString());
    const environment = {
      DATABASE_URL: options.databaseThroughProxy ? database.url : databaseUrl.toString(),
      RABBITMQ_URL: proxy.url,
      JWT_SECRET: 'a secret of the fault suite, long enough',
      PASSWORD_HASH: 'bcrypt',
      BCRYPT_COST: '4',
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      EVENT_EXCHANGE: `${name}.user_events`,
      QUEUE_PREFIX: name,
      RETRY_DELAYS_MS: '200,400,800,1600,3200',
      RELAY_IDLE_MS: '200',
      ...options.environment,
    };
    const config = readConfig(environment);
    const db = openDatabase({ url: databaseUrl.toString(), poolSize: 2 }, () => {});
    await migrateToLatest(db);
    await createEffectTables(db);
    const model = await connect(servers.rabbit.url);
    model.on('error', () => {});
    await declareTopology(model, config.events, createLog('silent'));
    const tap = new Tap(servers.rabbit.url, config.events.exchange, `${name}.tap`);
    await tap.open();
    const scenario = new Scenario(servers, config, db, proxy, database, tap, model);
    const roles: Role[] = [
      ...Array.from({ length: API_CONTAINERS }, () => 'api' as const),
      'relay',
      ...Array.from({ length: options.pollers ?? 1 }, () => 'poller' as const),
    ];
    for (const role of roles) {
      // As in `npm run worker`: the consumers in the poller's process do not wait for each other's transactions.
      const DATABASE_POOL_SIZE = role === 'poller' ? String(CONSUMER_NAMES.length + 2) : '1';
      const settings: ContainerSettings = {
        ...{
          role,
          environment: { ...environment, DATABASE_POOL_SIZE },
          clockOffsetMs: 0,
          crash: null,
          poisonPercent: 0,
          flakyPercent: 0,
          erasePercent: 0,
        },
        failsEverything: false,
        hangPercent: 0,
        callDelayMs: 0,
        runMs: FOREVER_MS,
        functionTimeoutMs: null,
        ...options.settings?.[role],
      };
      const container = new Container(
        bundle,
        settings,
        options.crashes?.[role] ?? null,
        (message, from) => scenario.#hear(message, from),
        (dead) => scenario.#afterDeath(dead),
      );
      scenario.containers.push(container);
      await container.start();
    }
    return scenario;
  }

  container(role: Role): Container {
    const found = this.containers.find((container) => container.role === role);
    if (!found) throw new Error(`There is no container in the role ${role}`);
    return found;
  }

  /** Has so many users registered, and resolves when all of them are. */
  async register(count: number): Promise<void> {
    this.#total += count;
    for (const container of this.containers) if (container.role === 'api') this.#ask(container);
    await this.until(() => this.acknowledged.length >= this.#total);
  }

  /** Resolves when the condition holds; looked at after each answer. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when every event has been handled or is a dead letter, or when that takes too long. */
  async settle(): Promise<void> {
    const end = performance.now() + SETTLE_TIMEOUT_MS;
    while (performance.now() < end) {
      if ((await countOpen(this.db).catch(() => 1)) === 0) return;
      await wait(200);
    }
  }

  async close(): Promise<void> {
    for (const container of this.containers) await container.stop();
    await this.tap.close();
    await this.proxy.stop();
    await this.database.stop();
    await this.db.destroy();
    await this.model.close().catch(() => {});
  }

  #ask(container: Container): void {
    if (this.acknowledged.length + this.#busy.size >= this.#total) return;
    this.#busy.add(container);
    container.send({ kind: 'register' });
  }

  #hear(message: FromContainer, from: Container): void {
    if (message.kind === 'log') this.logged.push(JSON.parse(message.line));
    if (message.kind === 'polled' && message.calls > 0) this.handovers += 1;
    if (message.kind !== 'registered') return;
    if (message.status === 201 && message.id !== null) {
      this.acknowledged.push(message.id);
      this.latencies.push(message.ms);
    } else {
      this.refused.push(message.status);
    }
    this.#next(from);
  }

  /** Whatever it was at, its client has got no answer. */
  #afterDeath(dead: Container): void {
    if (dead.role === 'api') this.#next(dead);
  }

  #next(container: Container): void {
    this.#busy.delete(container);
    this.#ask(container);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
