import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { CONSUMER_NAMES } from '../../shared/broker/topology';
import type { PublishingContext } from '../../shared/outbox/publisher';
import { percentile } from '../statistics';
import { createAccounts } from './accounts';
import { type Account, type Job, PASSWORD } from './client';
import { Connection } from './connection';
import type { Load } from './load';
import { type Usage, usageOf } from './processes';
import type { Target } from './targets';

/** Null where the system has no /proc. */
export interface Figures {
  startMs: number;
  firstStartMs: number | null;
  registerC1: number;
  registerC8: number;
  loginC1: number;
  loginC8: number;
  meC1: number;
  meC16: number;
  /** Processor time in ms, less what the service takes when idle. */
  cpuPerRegistration: number | null;
  cpuPerRegistrationInBatch: number | null;
  cpuPerEvent: number | null;
  cpuPerEventInBatch: number | null;
  /** From the answer to the transaction of the last of the five consumers. */
  handledP50: number;
  handledMax: number;
  /** Share of one core. */
  idleCpu: number | null;
  idle: Usage | null;
  /** After the load. */
  loaded: Usage | null;
}

const ACCOUNTS = 16;
const BATCH = 200;
/** Of the measuring time: the machine needs a while to take up all connections and to compile. */
const WARM_UP = 0.4;
const IDLE_TIMES = 6;
/** So many times the measuring time for what happens once a second. */
export const SPACED_TIMES = 4;
const LOOK_AGAIN_MS = 100;

export async function measureTarget(target: Target, load: Load, ms: number): Promise<Figures> {
  const { ctx, port } = target;
  const allHandled = watchHandling(ctx);
  const accounts = await logInAll(port, await createAccounts(ctx, ACCOUNTS));
  await allHandled();
  const usage = () => usageOf(target.pids());
  const run = async (kind: Job['kind'], clients: number) => {
    await load.run({ kind, port, clients, ms: ms * WARM_UP, accounts });
    return load.run({ kind, port, clients, ms, accounts });
  };
  /** Processor time of the work and of the event handling that it causes. */
  const cpuOf = async (work: () => Promise<number>): Promise<number | null> => {
    const [before, startedAt] = [usage(), performance.now()];
    const count = await work();
    await allHandled();
    const [after, idleMs] = [usage(), (idleCpu ?? 0) * (performance.now() - startedAt)];
    return before && after ? (after.cpuMs - before.cpuMs - idleMs) / count : null;
  };

  const me = [await run('me', 1), await run('me', 16)] as const;
  const login = [await run('login', 1), await run('login', 8)] as const;
  const register = [await run('register', 1), await run('register', 8)] as const;
  await allHandled();
  const loaded = usage();

  const idleBefore = usage();
  await wait(ms * IDLE_TIMES);
  const idle = usage();
  const idleCpu = idle && idleBefore && (idle.cpuMs - idleBefore.cpuMs) / (ms * IDLE_TIMES);

  const spaced = ms * SPACED_TIMES;
  let registered: { id: string; answeredAt: number }[] = [];
  const cpuPerRegistration = await cpuOf(async () => {
    const job = { kind: 'register', port, clients: 1, ms: spaced, perSecond: 1, accounts } as const;
    registered = (await load.run(job)).registered;
    return registered.length;
  });
  const lags = (await handledTimes(ctx, registered)).sort((a, b) => a - b);
  const cpuPerRegistrationInBatch = await cpuOf(async () => {
    const job = { kind: 'register', port, clients: 8, ms, accounts } as const;
    return (await load.run(job)).times.length;
  });
  const cpuPerEvent = await cpuOf(async () => {
    const count = Math.max(1, Math.round(spaced / 1000));
    for (let i = 0; i < count; i++) {
      await createAccounts(ctx, 1);
      await wait(1000);
    }
    return count;
  });
  const cpuPerEventInBatch = await cpuOf(async () => (await createAccounts(ctx, BATCH)).length);

  return {
    startMs: target.startMs,
    firstStartMs: target.firstStartMs ?? null,
    registerC1: percentile(register[0].times, 0.5),
    registerC8: register[1].perSecond,
    loginC1: percentile(login[0].times, 0.5),
    loginC8: login[1].perSecond,
    meC1: me[0].perSecond,
    meC16: me[1].perSecond,
    cpuPerRegistration,
    cpuPerRegistrationInBatch,
    cpuPerEvent,
    cpuPerEventInBatch,
    handledP50: percentile(lags, 0.5),
    handledMax: lags.at(-1) ?? Number.NaN,
    idleCpu,
    idle,
    loaded,
  };
}

async function logInAll(port: number, usernames: string[]): Promise<Account[]> {
  const connection = new Connection(port);
  const accounts: Account[] = [];
  for (const username of usernames) {
    const reply = await connection.request('POST', '/login', null, { username, password: PASSWORD });
    if (reply.status !== 200) throw new Error(`login: ${reply.status} ${reply.body}`);
    accounts.push({ username, token: JSON.parse(reply.body).accessToken });
  }
  connection.close();
  return accounts;
}

/** @returns a function that waits until all consumers have handled every registration */
function watchHandling({ db }: PublishingContext): () => Promise<void> {
  // What is known to be handled is not looked at again: PostgreSQL may be one of the measured processes.
  let position = '0';
  return async () => {
    for (;;) {
      const { rows } = await sql<{ position: string; isHandled: boolean }>`
        select coalesce(max(position), ${position}) as position, coalesce(bool_and(handled = ${CONSUMER_NAMES.length}), true) as "isHandled"
        from (
          select position, (select count(*) from inbox where inbox.event_id = events.id) as handled
          from events where type = 'user.created' and position > ${position}
        ) as later`.execute(db);
      const [row] = rows;
      if (row?.isHandled) {
        position = row.position;
        return;
      }
      await wait(LOOK_AGAIN_MS);
    }
  };
}

/** By the database's clock, which is this machine's. @returns milliseconds from each answer to the last consumer's transaction */
async function handledTimes(
  { db }: PublishingContext,
  registered: { id: string; answeredAt: number }[],
): Promise<number[]> {
  const { rows } = await sql<{ subject: string; handled_at: Date }>`
    select events.subject, max(inbox.handled_at) as handled_at
    from events join inbox on inbox.event_id = events.id
    where events.subject = any(${registered.map(({ id }) => id)}::uuid[]) and events.type = 'user.created'
    group by events.subject`.execute(db);
  const handledAt = new Map(rows.map((row) => [row.subject, row.handled_at.getTime()]));
  return registered.map(({ id, answeredAt }) => (handledAt.get(id) ?? Number.NaN) - answeredAt);
}
