import { sql } from 'kysely';
import { ATTEMPT_HEADER, type Consumer } from '../broker/topology';
import type { Config } from '../config';
import { type Context, containerContext } from '../context/context';
import type { Tx } from '../db/connection';
import { TransactionTimeoutError, transactionWithin } from '../db/transaction-within';
import { DatabaseUnavailable, isLockTimeout } from '../db/unavailable';
import { PermanentError } from '../errors';
import { type EventType, parseEvent, type UserEvent } from '../events/catalog';
import {
  type BatchResponse,
  BEHIND_A_FAILURE,
  POLLER_ARN,
  type RmqEvent,
  type RmqMessage,
} from '../lambda/rmq-event';

/** Must take effect within `tx` only. If it throws, the event is retried. */
export type EventHandler<T extends EventType> = (
  event: UserEvent<T>,
  tx: Tx,
  ctx: HandlerContext,
) => Promise<void>;

export interface HandlerContext extends Context {
  /** When `tx` is rolled back if the handler is not done, by `performance.now()`. */
  endsAt: number;
}

/**
 * For handlers that keep state per user: skips an event if a newer one of the same user was handled. Deliveries are in
 * order, but redriven dead letters and replays arrive late.
 * @param consumer the consumer that keeps the state
 */
export function newestOnly<T extends EventType>(
  consumer: Consumer,
  handler: EventHandler<T>,
): EventHandler<T> {
  return async (event, tx, ctx) => {
    const { rows } = await sql`
      insert into consumer_sequences (consumer, subject, sequence)
      values (${consumer}, ${event.subject}, ${event.sequence})
      on conflict (consumer, subject) do update set sequence = excluded.sequence
      where consumer_sequences.sequence < excluded.sequence
      returning sequence`.execute(tx);
    if (rows.length > 0) await handler(event, tx, ctx);
    else ctx.log.info('An older event was skipped', { consumer, ...traceOf(event) });
  };
}
/** Handles all new events of a batch at once, if that is faster than one by one. */
export type BatchHandler = (events: UserEvent[], tx: Tx, ctx: HandlerContext) => Promise<void>;

/** A handler per event type; `*` handles all other types. */
export type EventHandlers = { [T in EventType]?: EventHandler<T> } & { '*'?: EventHandler<EventType> };

/** How many transactions the events of a batch get. */
type Transactions = 'one' | 'each';

/**
 * Creates a consumer function from event handlers. Every event takes effect exactly once, however often it is delivered,
 * because its inbox row commits together with the handler's effect.
 *
 * | the handler             | invoked by our poller                          | invoked by Amazon MQ's mapping           |
 * | ----------------------- | ---------------------------------------------- | ---------------------------------------- |
 * | returns                 | done                                           | done                                     |
 * | throws                  | in `batchItemFailures`: retried                | the call throws, the batch is redelivered |
 * | throws a PermanentError | there with `final`: a dead letter at once      | the same                                 |
 * | has no database, or     | `unavailable`: the batch waits, without a      | the same                                 |
 * | another transaction     | counted attempt                                |                                          |
 * | holds what it needs     |                                                |                                          |
 * | takes too long          | like throws; in a batch the call throws, and   | the same                                 |
 * |                         | the poller tries each event alone              |                                          |
 *
 * @param transactions `one`, which is fast, for effects that a rollback undoes. `each` for others, such as emails, so that
 * the failure of one event does not repeat the effects of others
 */
export function consumer(
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  context: () => Context = containerContext,
  transactions: Transactions | ((config: Config) => Transactions) = 'one',
): (event: RmqEvent) => Promise<BatchResponse> {
  return async (batch) => {
    const ctx = context();
    const failures: BatchResponse['batchItemFailures'] = [];
    const first: UserEvent[] = [];
    const retried: UserEvent[] = [];
    for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
      const event = parseEvent(Buffer.from(message.data, 'base64'));
      if (event) (hasFailedBefore(message) ? retried : first).push(event);
      else
        failures.push({
          itemIdentifier: String(message.basicProperties.messageId),
          reason: 'not a valid event',
        });
    }

    try {
      const chosen = typeof transactions === 'function' ? transactions(ctx.config) : transactions;
      failures.push(...(await handleAll(ctx, name, handlers, [retried, first], chosen)));
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || batch.eventSourceArn !== POLLER_ARN) throw error;
      ctx.log.error('Events wait for the database', { consumer: name, error });
      return { batchItemFailures: [], unavailable: error.message };
    }
    if (failures.length > 0 && batch.eventSourceArn !== POLLER_ARN) {
      throw new Error(`${failures.length} of the batch's messages failed: ${failures[0]?.reason}`);
    }
    return { batchItemFailures: failures };
  };
}

function hasFailedBefore({ basicProperties }: RmqMessage): boolean {
  return Number(basicProperties.headers?.[ATTEMPT_HEADER] ?? 1) > 1;
}

/**
 * @param parts retried events get a transaction of their own, because they may well fail again and roll back the others.
 * They come first, because other events of the same user are later ones
 * @returns the failures
 * @throws DatabaseUnavailable; events handled before that are committed, and the inbox skips them when they are redelivered
 */
async function handleAll(
  ctx: Context,
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  parts: UserEvent[][],
  transactions: Transactions,
): Promise<BatchResponse['batchItemFailures']> {
  const failures: BatchResponse['batchItemFailures'] = [];
  // Each user's events take effect in order: later events of a user wait for the one that failed.
  const failedSubjects = new Set<string>();
  const { timeoutMs } = ctx.config.handlers;
  const end = performance.now() + timeoutMs;
  let hasBegun = false;

  /** Retries a failed transaction by bisection: one bad event in a hundred costs about a dozen transactions. */
  async function handle(part: UserEvent[]): Promise<void> {
    const ready = part.filter((event) => !failedSubjects.has(event.subject));
    for (const event of part)
      if (failedSubjects.has(event.subject))
        failures.push({ itemIdentifier: event.id, reason: BEHIND_A_FAILURE });
    // The poller delivers untried events again at once.
    if (hasBegun && performance.now() > end)
      return void failures.push(...ready.map(({ id }) => ({ itemIdentifier: id, ...NO_TIME })));
    hasBegun = true;
    try {
      await handleTogether(ctx, name, handlers, ready);
    } catch (error) {
      // Not caused by an event, so bisection would not help.
      if (error instanceof DatabaseUnavailable) throw error;
      const [first] = ready;
      if (first && ready.length === 1) return fail(first, error);
      // Bisection would cost a timeout per step, more than one call has time for.
      if (error instanceof TransactionTimeoutError) throw error;
      const middle = Math.ceil(ready.length / 2);
      await handle(ready.slice(0, middle));
      await handle(ready.slice(middle));
    }
  }

  function fail(event: UserEvent, error: unknown): void {
    failedSubjects.add(event.subject);
    ctx.log.error('An event could not be handled', { consumer: name, ...traceOf(event), error });
    const reason = error instanceof Error ? error.message : String(error);
    const final = error instanceof PermanentError;
    failures.push({ itemIdentifier: event.id, reason, ...(final && { final }) });
  }

  if (transactions === 'one') for (const part of parts) await handle(part);
  else for (const event of parts.flat()) await handle([event]);
  return failures;
}

const NO_TIME = { reason: 'not tried: the function has no time left', untried: true };

/**
 * Handles all events in one transaction, so that they share the cost of the commit.
 * @throws DatabaseUnavailable also while another transaction holds a lock that this one needs, which is no fault of an event. It may
 * be that of an earlier delivery whose connection has fallen silent: the server keeps it for longer than all attempts may take
 * (`idle_in_transaction_session_timeout`)
 */
async function handleTogether(
  ctx: Context,
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  events: UserEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const { timeoutMs } = ctx.config.handlers;
  const handled = await transactionWithin(ctx.db, timeoutMs, async (tx) => {
    const handlerCtx = { ...ctx, endsAt: performance.now() + timeoutMs };
    const fresh = await insertInbox(tx, name, events);
    if (typeof handlers === 'function') await handlers(fresh, tx, handlerCtx);
    else for (const event of fresh) await handlerOf(handlers, event)?.(event, tx, handlerCtx);
    return fresh;
  }).catch((error: unknown) => {
    throw isLockTimeout(error) ? new DatabaseUnavailable(error.cause, 'not_done') : error;
  });
  for (const event of handled) ctx.log.info('An event was handled', { consumer: name, ...traceOf(event) });
}

/** @returns the events that this consumer has not handled yet, in order, without duplicates */
async function insertInbox(tx: Tx, name: Consumer, events: UserEvent[]): Promise<UserEvent[]> {
  const unique = [...new Map(events.map((event) => [event.id, event])).values()];
  const ids = unique.map((event) => event.id);
  // In a fixed order, so that overlapping batches wait for each other instead of deadlocking.
  const inserted = await sql<{ event_id: string }>`
    insert into inbox (event_id, consumer)
    select id, ${name} from unnest(${ids}::uuid[]) as id order by id
    on conflict do nothing returning event_id`.execute(tx);
  const fresh = new Set(inserted.rows.map((row) => row.event_id));
  return unique.filter((event) => fresh.has(event.id));
}

function handlerOf(handlers: EventHandlers, event: UserEvent): EventHandler<EventType> | undefined {
  return (handlers[event.type] as EventHandler<EventType> | undefined) ?? handlers['*'];
}

function traceOf(event: Pick<UserEvent, 'id' | 'type' | 'subject' | 'traceparent'>) {
  const traceId = event.traceparent?.split('-')[1];
  return { eventId: event.id, eventType: event.type, subject: event.subject, ...(traceId && { traceId }) };
}
