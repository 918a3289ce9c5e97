import { sql } from 'kysely';
import { ATTEMPT_HEADER, type Consumer } from '../broker/topology';
import { type Context, containerContext } from '../context/context';
import type { Tx } from '../db/connection';
import { TransactionTimeoutError, transactionWithin } from '../db/transaction-within';
import { DatabaseUnavailable } from '../db/unavailable';
import { PermanentError } from '../errors';
import { type EventType, parseEvent, type UserEvent } from '../events/catalog';
import { type BatchResponse, POLLER_ARN, type RmqEvent, type RmqMessage } from '../lambda/rmq-event';

/** Takes effect within `tx` or not at all. What it throws sends the event to the next attempt. */
export type EventHandler<T extends EventType> = (event: UserEvent<T>, tx: Tx, ctx: Context) => Promise<void>;

/**
 * For a handler that keeps state per user: it never sees an event after a newer one of the same user. Deliveries are
 * in order, but a dead letter that is redriven, and a replay, come later than what has happened since.
 * @param consumer whose state it is
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
    else ctx.log.info('An older event was passed over', { consumer, ...traceOf(event) });
  };
}
/** Takes all of a batch's new events at once, where that costs less than one by one. */
export type BatchHandler = (events: UserEvent[], tx: Tx, ctx: Context) => Promise<void>;

/** A handler by event type; `*` takes the types that have none of their own. */
export type EventHandlers = { [T in EventType]?: EventHandler<T> } & { '*'?: EventHandler<EventType> };

/**
 * Makes a Lambda function of event handlers. Every event is handled exactly once, however often it is delivered:
 * the inbox row that says so commits together with the handler's effect.
 *
 * | the handler              | called by our poller                            | called by Amazon MQ's mapping            |
 * | ------------------------ | ----------------------------------------------- | ---------------------------------------- |
 * | returns                  | done                                            | done                                     |
 * | throws                   | named in `batchItemFailures`: comes again       | the call throws, the whole batch is back |
 * | throws a PermanentError  | named there as `final`: a dead letter at once   | the same                                 |
 * | has no database          | `unavailable`: the batch waits, nobody counts   | the same                                 |
 * | takes too long           | the same as throws; of a batch the call throws, | the same                                 |
 * |                          | and the poller tries each event by itself       |                                          |
 *
 * @param transactions `one`, which is fast, is for effects that a rollback takes back. `each` is for those that it
 * cannot, such as a mail: one event's failure then repeats no other's.
 */
export function consumer(
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  context: () => Context = containerContext,
  transactions: 'one' | 'each' = 'one',
): (event: RmqEvent) => Promise<BatchResponse> {
  return async (batch) => {
    const ctx = context();
    const failures: BatchResponse['batchItemFailures'] = [];
    const first: UserEvent[] = [];
    const again: UserEvent[] = [];
    for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
      const event = parseEvent(Buffer.from(message.data, 'base64'));
      if (event) (hasFailedBefore(message) ? again : first).push(event);
      else
        failures.push({
          itemIdentifier: String(message.basicProperties.messageId),
          reason: 'not a valid event',
        });
    }

    try {
      failures.push(...(await handleAll(ctx, name, handlers, [again, first], transactions)));
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
 * @param parts what has failed before by itself, and first: it may well fail again, and would take the others' transaction
 * with it. Whatever of the same user is behind it is later.
 * @returns those that failed, and why
 * @throws DatabaseUnavailable; what was handled before is handled, and known by the inbox when it comes again
 */
async function handleAll(
  ctx: Context,
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  parts: UserEvent[][],
  transactions: 'one' | 'each',
): Promise<BatchResponse['batchItemFailures']> {
  const failures: BatchResponse['batchItemFailures'] = [];
  // One user's events take effect in order: after one that failed, the later ones have to come again too.
  const stuck = new Set<string>();
  const { timeoutMs } = ctx.config.handlers;
  const end = performance.now() + timeoutMs;
  let hasBegun = false;

  /** Those of a transaction that failed are tried by halves: one bad event in a hundred costs a dozen transactions. */
  async function handle(part: UserEvent[]): Promise<void> {
    const ready = part.filter((event) => !stuck.has(event.subject));
    for (const event of part)
      if (stuck.has(event.subject))
        failures.push({ itemIdentifier: event.id, reason: 'not tried: an earlier event of the user failed' });
    // The poller asks again at once for what there was no time for.
    if (hasBegun && performance.now() > end)
      return void failures.push(...ready.map(({ id }) => ({ itemIdentifier: id, ...NO_TIME })));
    hasBegun = true;
    try {
      await handleTogether(ctx, name, handlers, ready);
    } catch (error) {
      // No event is to blame, and no half of them would fare better.
      if (error instanceof DatabaseUnavailable) throw error;
      const [first] = ready;
      if (first && ready.length === 1) return fail(first, error);
      // To find the one to blame takes a time-out each: more than one call of a function has.
      if (error instanceof TransactionTimeoutError) throw error;
      const middle = Math.ceil(ready.length / 2);
      await handle(ready.slice(0, middle));
      await handle(ready.slice(middle));
    }
  }

  function fail(event: UserEvent, error: unknown): void {
    stuck.add(event.subject);
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

/** One transaction for all: in a batch of a hundred, the commit costs a hundredth. */
async function handleTogether(
  ctx: Context,
  name: Consumer,
  handlers: EventHandlers | BatchHandler,
  events: UserEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const handled = await transactionWithin(ctx.db, ctx.config.handlers.timeoutMs, async (tx) => {
    const fresh = await takeIn(tx, name, events);
    if (typeof handlers === 'function') await handlers(fresh, tx, ctx);
    else for (const event of fresh) await handlerOf(handlers, event)?.(event, tx, ctx);
    return fresh;
  });
  for (const event of handled) ctx.log.info('An event was handled', { consumer: name, ...traceOf(event) });
}

/** @returns the events that this consumer has not handled yet, in their order, each once */
async function takeIn(tx: Tx, name: Consumer, events: UserEvent[]): Promise<UserEvent[]> {
  const unique = [...new Map(events.map((event) => [event.id, event])).values()];
  const ids = unique.map((event) => event.id);
  // In one order, so that two overlapping batches wait for each other instead of deadlocking.
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
