// One container of the system under test, as a process of its own that can be killed and frozen. Its role, its faults and
// what has become of it go over the channel to the suite.
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { handler as register } from '../../functions/auth/register';
import { analytics } from '../../functions/consumers/analytics';
import { deadLetters } from '../../functions/consumers/dead-letters';
import { receipts } from '../../functions/consumers/receipts';
import { handler as eraseUser } from '../../functions/erasures/erase-user';
import { handler as updateUser } from '../../functions/users/update-user';
import { addToCounts } from '../../shared/analytics/analytics-store';
import { appendAuditEntries } from '../../shared/audit/audit-store';
import { createBroker } from '../../shared/broker/connection';
import { readConfig } from '../../shared/config';
import { type BatchHandler, consumer } from '../../shared/consumers/consumer';
import { createContext } from '../../shared/context/context';
import { runReplays } from '../../shared/event-operations/run-replays';
import { parseEvent, type UserEvent } from '../../shared/events/catalog';
import type { Invoke, InvokeOutcome } from '../../shared/lambda/invoke';
import type { BatchResponse, RmqEvent } from '../../shared/lambda/rmq-event';
import { createLog } from '../../shared/log';
import { createPublisher, type PublishingContext } from '../../shared/outbox/publisher';
import { relayOutbox } from '../../shared/outbox/relay';
import { pollQueues } from '../../shared/poller/poll-queues';
import { httpEvent, readResult, type TestRequest } from '../setup/http-event';
import { isAmong } from './chance';
import { brokerWithCrash, type CrashPoint, invokeWithCrash, publisherWithCrash } from './crash-points';
import { countDeliveries, recordEffects } from './effects';
import { TO_ERASE } from './erasure-rows';
import { invokeInProcesses } from './function-processes';

const FOREVER_MS = 24 * 60 * 60 * 1000;
const RETRY_MS = 100;

export type Role = 'api' | 'relay' | 'poller' | 'function';

export interface ContainerSettings {
  role: Role;
  environment: Record<string, string>;
  clockOffsetMs: number;
  /** Dies at the so-many-th passing of the point. */
  crash: { point: CrashPoint; at: number } | null;
  /** Of the events, how many in a hundred can never be handled, or not at their first delivery. */
  poisonPercent: number;
  flakyPercent: number;
  failsEverything: boolean;
  /** Of the events, how many in a hundred hang every consumer for ever. */
  hangPercent: number;
  /** Of the new users, how many in a hundred erase themselves again. */
  erasePercent: number;
  /** Before each call of the audit consumer, so that there is a backlog. */
  callDelayMs: number;
  /** How long a run of the poller lasts. */
  runMs: number;
  /** In processes of their own, which are killed after this long, as Lambda does; null: in the poller's own process. */
  functionTimeoutMs: number | null;
}

/** From the suite. `register`: one more user, please. */
export type ToContainer =
  | { kind: 'start'; settings: ContainerSettings }
  | { kind: 'register' }
  | { kind: 'invoke'; name: string; payload: unknown };

export type FromContainer =
  | { kind: 'ready' }
  | { kind: 'registered'; status: number; id: string | null; ms: number }
  /** A run of the poller has ended, in which it has called the audit consumer so often. */
  | { kind: 'polled'; calls: number }
  | { kind: 'answer'; outcome: InvokeOutcome }
  | { kind: 'log'; line: string };

const tell = (message: FromContainer) => process.send?.(message);

process.on('message', (message: ToContainer) => {
  if (message.kind === 'start') void start(message.settings);
});
process.on('disconnect', () => process.exit());

async function start(settings: ContainerSettings): Promise<void> {
  const config = readConfig(settings.environment);
  const log = createLog(config.logLevel, (line) => void tell({ kind: 'log', line }));
  const base = createContext(config, log);
  const now = () => new Date(Date.now() + settings.clockOffsetMs);
  const point = settings.crash?.point;
  let passed = 0;
  const isDue = () => ++passed === settings.crash?.at;
  const realBroker = createBroker(config.broker.url, `rollcall-${settings.role}`, log);
  const broker = point ? brokerWithCrash(realBroker, point, isDue) : realBroker;
  const realPublisher = createPublisher({ ...base, now, broker });
  const publisher = point ? publisherWithCrash(realPublisher, point, isDue) : realPublisher;
  const ctx: PublishingContext = { ...base, now, broker, publisher };
  tell({ kind: 'ready' });
  if (settings.role === 'api') return serve(ctx, settings);
  if (settings.role === 'relay')
    return void Promise.all([relayOutbox(ctx, FOREVER_MS), runReplays(ctx, FOREVER_MS)]);
  const functions = functionsOf(ctx, settings);
  if (settings.role === 'function') return answerCalls(functions);
  const isolated = settings.functionTimeoutMs !== null ? invokeInProcesses(settings, tell) : functions;
  const invoke = point ? invokeWithCrash(isolated, point, isDue) : isolated;
  for (;;) {
    let calls = 0;
    const counting: Invoke = async (name, payload) => {
      if (name.endsWith('-audit')) {
        calls += 1;
        if (settings.callDelayMs > 0) await wait(settings.callDelayMs);
      }
      return invoke(name, payload);
    };
    await pollQueues({ ...ctx, invoke: counting }, settings.runMs);
    tell({ kind: 'polled', calls });
  }
}

/** A function in a process of its own: one call at a time. */
function answerCalls(functions: Invoke): void {
  process.on('message', async (message: ToContainer) => {
    if (message.kind === 'invoke')
      tell({ kind: 'answer', outcome: await functions(message.name, message.payload) });
  });
}

/** One request at a time, as a Lambda container: a registration, and a change or the erasure of some of the new users. */
function serve(ctx: PublishingContext, { erasePercent }: ContainerSettings): void {
  const call = async (handler: typeof register, request: TestRequest) =>
    readResult(await handler.in(() => ctx)(httpEvent(request)));
  // Until it is done: without the database it is refused, and after a commit whose answer was lost the session is gone.
  const erase = async (token: string) => {
    for (;;) {
      const { status } = await call(eraseUser, { method: 'POST', params: { id: 'me' }, token });
      if (status === 202 || status === 401) return;
      await wait(RETRY_MS);
    }
  };
  process.on('message', async (message: ToContainer) => {
    if (message.kind !== 'register') return;
    const isToBeErased = randomInt(100) < erasePercent;
    const username = `${isToBeErased ? TO_ERASE : 'user_'}${randomBytes(6).toString('hex')}`;
    const body = { username, email: `${username}@example.com`, password: 'a fine password' };
    const startedAt = performance.now();
    const reply = await call(register, { method: 'POST', path: '/register', body });
    const ms = performance.now() - startedAt;
    // Every fourth has a second event, for the order of a user's events to show.
    if (reply.status === 201 && Number.parseInt(reply.body.user.id.slice(-1), 16) % 4 === 0) {
      const { user, accessToken } = reply.body;
      await call(updateUser, {
        method: 'PUT',
        path: `/users/${user.id}`,
        params: { id: user.id },
        body: { displayName: username },
        token: accessToken,
      });
    }
    if (reply.status === 201 && isToBeErased) await erase(reply.body.accessToken);
    tell({ kind: 'registered', status: reply.status, id: reply.body?.user?.id ?? null, ms });
  });
}

/** The consumer functions that matter here: `audit`, whose effects are written down too, and all of them where they hang. */
function functionsOf(ctx: PublishingContext, settings: ContainerSettings): Invoke {
  const { poisonPercent, flakyPercent, failsEverything, hangPercent } = settings;
  const hangOver = async (events: UserEvent[]) => {
    if (events.some(({ id }) => isAmong(id, hangPercent))) await new Promise(() => {});
  };
  const audit = async (batch: RmqEvent) => {
    const suspects = eventIds(batch).filter((id) => isAmong(id, poisonPercent + flakyPercent));
    const fresh = await countDeliveries(ctx.db, suspects);
    const fails = ({ id }: UserEvent) =>
      failsEverything || isAmong(id, poisonPercent) || (suspects.includes(id) && fresh.has(id));
    const handle: BatchHandler = async (events, tx) => {
      if (events.some(fails)) throw new Error('no luck');
      await hangOver(events);
      await appendAuditEntries(tx, events);
      await recordEffects(tx, events);
    };
    return consumer('audit', handle, () => ctx)(batch);
  };
  const functions: Record<string, (batch: RmqEvent) => Promise<BatchResponse>> = {
    audit,
    analytics:
      hangPercent === 0
        ? analytics(() => ctx)
        : consumer(
            'analytics',
            async (events, tx) => {
              await hangOver(events);
              await addToCounts(tx, events);
            },
            () => ctx,
          ),
    ...(hangPercent > 0 && {
      webhooks: consumer('webhooks', hangOver, () => ctx),
      emails: consumer('emails', { '*': (event) => hangOver([event]) }, () => ctx, 'each'),
      'admin-notices': consumer('admin-notices', { '*': (event) => hangOver([event]) }, () => ctx, 'each'),
    }),
    'dead-letters': deadLetters(() => ctx),
    receipts: receipts(() => ctx),
  };
  return async (name, payload) => {
    const handle = functions[name.slice(ctx.config.lambda.functionPrefix.length)];
    if (!handle) return { kind: 'answered', payload: null };
    try {
      return { kind: 'answered', payload: await handle(payload as RmqEvent) };
    } catch (error) {
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  };
}

function eventIds(batch: RmqEvent): string[] {
  const messages = Object.values(batch.rmqMessagesByQueue).flat();
  return messages.flatMap(({ data }) => parseEvent(Buffer.from(data, 'base64'))?.id ?? []);
}
