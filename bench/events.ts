// `npm run bench:events`: how fast events go from the outbox to the broker, and from a queue through a handler, beside
// what the parts allow, measured in the same run: confirmed publishes alone, a consumer alone, inserts alone.
//   --backlog 1000,10000,100000,1000000
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { handler as register } from '../functions/auth/register';
import { audit } from '../functions/consumers/audit';
import { createBroker } from '../shared/broker/connection';
import { CONSUMER_NAMES, queueOf } from '../shared/broker/topology';
import { createContext, withLongTimeouts } from '../shared/context/context';
import type { EventType } from '../shared/events/catalog';
import type { RmqEvent } from '../shared/lambda/rmq-event';
import { createLog } from '../shared/log';
import type { PublishingContext } from '../shared/outbox/publisher';
import { relayOutbox } from '../shared/outbox/relay';
import { pollQueues } from '../shared/poller/poll-queues';
import { httpEvent } from '../tests/setup/http-event';
import { type BenchEnvironment, benchEnvironment } from './environment';
import { consumeAlone, insertAlone, publishAlone } from './raw';
import { format, percentile } from './statistics';

const FOREVER_MS = 24 * 60 * 60 * 1000;
/** For the raw limits: enough for a steady rate, and over in seconds. */
const RAW_EVENTS = 20_000;
const REGISTRATIONS = 300;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { backlog: { type: 'string' } } });
  const backlogs = (values.backlog ?? '1000,10000,100000,1000000').split(',').map(Number);
  const env = await benchEnvironment(1, false);
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${env.servers}\n`);
  try {
    await latency(env.ctx);
    // Of these the audit log and the webhooks get a copy each, and of a registration all five consumers.
    // The handler is that of the audit log; the other queues are polled beside it.
    for (const type of ['user.password_changed', 'user.created'] as const) {
      await throughput(env, type, type === 'user.created' ? backlogs.filter((n) => n <= 10_000) : backlogs);
    }
  } finally {
    await env.close();
  }
}

async function throughput({ ctx }: BenchEnvironment, type: EventType, backlogs: number[]): Promise<void> {
  const { events } = ctx.config;
  const { channel } = await ctx.broker.open(5_000);
  const queues = CONSUMER_NAMES.map((consumer) => queueOf(events, consumer));
  const purge = async () => {
    for (const queue of queues) await channel.purgeQueue(queue);
  };
  console.log(`\n${type}, events/s`);
  row('backlog', ['relay', 'raw publish', 'ratio', 'poller', 'raw consume', 'ratio', 'raw insert']);
  // Warm: the code, the connections, the tables.
  await fill(ctx, type, 2_000);
  await drain(ctx);
  await handleAll(ctx, 2_000);
  for (const backlog of backlogs) {
    const insertedPerSecond = await insertAlone(ctx, Math.min(backlog, 2_000));
    await purge();
    const publishedPerSecond = await publishAlone(ctx, type, RAW_EVENTS);
    const lengths = await Promise.all(queues.map((queue) => channel.checkQueue(queue)));
    const filled = lengths.filter(({ messageCount }) => messageCount > 0).map(({ queue }) => queue);
    const consumedPerSecond = await consumeAlone(ctx, filled, RAW_EVENTS, ctx.config.poll.batchSize);
    await purge();

    await fill(ctx, type, backlog);
    const relayed = backlog / (await drain(ctx));
    const handled = backlog / (await handleAll(ctx, backlog));
    row(backlog.toLocaleString('en'), [
      ...[relayed, publishedPerSecond].map((n) => n.toFixed(0)),
      (relayed / publishedPerSecond).toFixed(2),
      ...[handled, consumedPerSecond].map((n) => n.toFixed(0)),
      (handled / consumedPerSecond).toFixed(2),
      insertedPerSecond.toFixed(0),
    ]);
  }
}

/** A backlog as an outage leaves it: one event of each of so many users. */
async function fill(ctx: PublishingContext, type: EventType, count: number): Promise<void> {
  // A million takes longer than a function's statement may.
  const { db } = createContext(withLongTimeouts(ctx.config), createLog('silent'));
  await sql`truncate events, dispatch, publications, inbox`.execute(db);
  await sql`
    insert into events (id, type, subject, sequence, time, data)
    select id, ${type}, id, '0000000001', now(), jsonb_build_object('id', id, 'username', 'user_' || n,
      'email', 'user_' || n || '@example.com', 'role', 'user', 'createdAt', '2026-11-20T10:00:00.000Z')
    from (
      select n, (lpad(to_hex(extract(epoch from now())::bigint * 1000 - ${count} + n), 12, '0') || '7000'
        || '8000' || substr(md5(random()::text), 1, 12))::uuid as id
      from generate_series(1, ${count}::int) as n
    ) as users`.execute(db);
  await sql`
    insert into dispatch (event_id, subject) select id, subject from events order by position`.execute(db);
  await sql`vacuum analyze events, dispatch`.execute(db);
  await db.destroy();
}

/** Has a relay send all of it. @returns seconds */
async function drain(ctx: PublishingContext): Promise<number> {
  const stop = new AbortController();
  const startedAt = performance.now();
  const run = relayOutbox(ctx, FOREVER_MS, stop.signal);
  const watching = createContext(ctx.config, createLog('silent')).db;
  for (;;) {
    // The last one is sent last, and found at once.
    const { rows } = await sql`select from dispatch order by position desc limit 1`.execute(watching);
    if (rows.length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const seconds = (performance.now() - startedAt) / 1000;
  stop.abort();
  await run;
  await watching.destroy();
  return seconds;
}

/** Has a poller hand so many events to the audit handler, in its own process. @returns seconds */
async function handleAll(ctx: PublishingContext, count: number): Promise<number> {
  const handling = createContext(ctx.config, createLog('silent'));
  const polling = createContext(ctx.config, createLog('silent'));
  const broker = createBroker(ctx.config.broker.url, 'rollcall-bench-poller', ctx.log);
  const handle = audit(() => handling);
  const stop = new AbortController();
  let left = count;
  const startedAt = performance.now();
  let endedAt = startedAt;
  await pollQueues(
    {
      ...polling,
      broker,
      invoke: async (name, payload) => {
        if (!name.endsWith('-audit')) return { kind: 'answered', payload: null };
        // As JSON and back, as it would cross the wire.
        const batch = JSON.parse(JSON.stringify(payload)) as RmqEvent;
        const answer = await handle(batch);
        left -= Object.values(batch.rmqMessagesByQueue).flat().length;
        if (left <= 0) {
          endedAt = performance.now();
          stop.abort();
        }
        return { kind: 'answered', payload: answer };
      },
    },
    FOREVER_MS,
    stop.signal,
  );
  await broker.close();
  await handling.db.destroy();
  await polling.db.destroy();
  return (endedAt - startedAt) / 1000;
}

/** One registration after the other, with an idle poller: what publishing adds, and when the event is handled. */
async function latency(ctx: PublishingContext): Promise<void> {
  const published: number[] = [];
  const committedAt: number[] = [];
  const lags: number[] = [];
  const handling = createContext(ctx.config, createLog('silent'));
  const handle = audit(() => handling);
  const stop = new AbortController();
  let onHandled = () => {};
  const polling = createContext(ctx.config, createLog('silent'));
  const poller = pollQueues(
    {
      ...polling,
      broker: createBroker(ctx.config.broker.url, 'rollcall-bench-poller', ctx.log),
      invoke: async (name, payload) => {
        if (!name.endsWith('-audit')) return { kind: 'answered', payload: null };
        const answer = await handle(payload as RmqEvent);
        const at = committedAt.at(-1);
        if (at !== undefined) lags.push(performance.now() - at);
        onHandled();
        return { kind: 'answered', payload: answer };
      },
    },
    FOREVER_MS,
    stop.signal,
  );
  const measured: PublishingContext = {
    ...ctx,
    publisher: {
      publish: async (pending) => {
        const at = performance.now();
        committedAt.push(at);
        await ctx.publisher.publish(pending);
        published.push(performance.now() - at);
      },
    },
  };
  const serve = register.in(() => measured);
  for (let i = 0; i < REGISTRATIONS + 20; i++) {
    const username = `bench_${i}`;
    const body = { username, email: `${username}@example.com`, password: 'a password of the benchmark' };
    const handled = new Promise<void>((resolve) => {
      onHandled = resolve;
    });
    const reply = await serve(httpEvent({ method: 'POST', path: '/register', body }));
    if (reply.statusCode !== 201) throw new Error(`${reply.statusCode}: ${reply.body}`);
    await handled;
  }
  stop.abort();
  await poller;
  await handling.db.destroy();
  await polling.db.destroy();
  row(`${REGISTRATIONS} registrations`, ['p50 ms', 'p99 ms']);
  for (const [name, times] of [
    ['publish, inline', published],
    ['commit → handled', lags],
  ] as const) {
    // The first ones open connections.
    const sorted = times.slice(20).sort((a, b) => a - b);
    row(name, [format(percentile(sorted, 0.5)), format(percentile(sorted, 0.99))]);
  }
}

function row(name: string, cells: string[]): void {
  console.log(name.padEnd(20) + cells.map((cell) => cell.padStart(13)).join(''));
}

void main();
