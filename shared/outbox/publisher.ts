import { setImmediate as turn } from 'node:timers/promises';
import { type Broker, type BrokerConnection, createBroker } from '../broker/connection';
import { OutageLog } from '../broker/outage-log';
import { declareExchanges } from '../broker/topology';
import { type Context, containerContext } from '../context/context';
import { within } from '../within';
import { confirmSent } from './dispatch-store';
import type { PendingEvent } from './event-store';
import { createEventSender } from './send-event';

export interface BrokerContext extends Context {
  broker: Broker;
}

export interface Publisher {
  /**
   * Sends events that have just been committed, in order, within the inline deadline, and marks what the broker
   * confirmed. Never throws and never takes longer: what is not confirmed by then is the relay's.
   */
  publish(pending: PendingEvent[]): Promise<void>;
}

export interface PublishingContext extends BrokerContext {
  publisher: Publisher;
}

/** How many of the last events' outcomes are kept, for those that follow them. */
const OUTCOMES_KEPT = 1_000;

let container: PublishingContext | undefined;

/** Publishes after the caller has answered, in a process that goes on after its answers. */
export interface BackgroundPublisher extends Publisher {
  /** Resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

export function publishInBackground({ publish }: Publisher): BackgroundPublisher {
  const underWay = new Set<Promise<void>>();
  return {
    publish: async (pending) => {
      const publishing = turn()
        .then(() => publish(pending))
        .finally(() => underWay.delete(publishing));
      underWay.add(publishing);
    },
    settled: async () => {
      await Promise.all(underWay);
    },
  };
}

/** The container's context with a broker connection, for the functions that publish. */
export function publishingContext(): PublishingContext {
  if (!container) {
    const ctx = containerContext();
    const brokerCtx = { ...ctx, broker: createBroker(ctx.config.broker.url, 'rollcall', ctx.log) };
    container = { ...brokerCtx, publisher: createPublisher(brokerCtx) };
  }
  return container;
}

/** How far a publish has come. */
interface Sending {
  connection?: BrokerConnection;
  /** Positions in `dispatch`. */
  confirmed: string[];
}

export function createPublisher(ctx: BrokerContext): Publisher {
  const { publishDeadlineMs, publishPauseMs } = ctx.config.events;
  const outage = new OutageLog(
    ctx.log,
    'Publishing is paused in this container: the relay takes over',
    'Publishing works again in this container',
  );
  const sendEvent = createEventSender(ctx.config.events);
  const declared = new WeakMap<BrokerConnection, Promise<boolean>>();
  /** By position, whether the last events of this process were sent. */
  const outcomes = new Map<string, Promise<boolean>>();
  let pausedUntil = 0;

  /**
   * Until all is there, then no more for this connection: an exchange that exists with another type would confirm events and
   * route them nowhere.
   */
  async function isDeclared(connection: BrokerConnection): Promise<boolean> {
    const declaring =
      declared.get(connection) ?? declareExchanges(connection.model, ctx.config.events, ctx.log);
    declared.set(connection, declaring);
    const isComplete = await declaring;
    if (!isComplete) declared.delete(connection);
    return isComplete;
  }

  /** @throws where the connection is not to be relied on */
  async function sendInOrder(pending: PendingEvent[], sending: Sending): Promise<'done'> {
    const connection = await ctx.broker.open(publishDeadlineMs);
    sending.connection = connection;
    if (!(await isDeclared(connection))) {
      ctx.log.info('The queues are not declared yet: the relay declares them, and sends the event');
      return 'done';
    }
    for (const { event, position, after } of pending) {
      // A mark that takes long is no trouble of the broker, so this must not be what the deadline finds.
      if (after !== null && !(await within(publishDeadlineMs / 2, wasSent(after), false))) break;
      const outcome = await sendEvent(connection, event);
      if (outcome.kind === 'confirmed') {
        sending.confirmed.push(position);
        continue;
      }
      // Later events of the same user must not overtake this one.
      if (outcome.kind === 'unknown')
        throw connection.closed ?? connection.blocked ?? new Error(outcome.reason);
      const fields = { eventId: event.id, ...outcome };
      outage.logOnce('warn', 'An event was not confirmed: the relay will send it', fields);
      break;
    }
    return 'done';
  }

  async function wasSent(position: string): Promise<boolean> {
    return (await outcomes.get(position)) ?? false;
  }

  async function publish(pending: PendingEvent[]): Promise<void> {
    // During an outage, only one request every now and then waits for the deadline.
    if (ctx.now().getTime() < pausedUntil) return;
    const mine = publishable(pending, outcomes);
    if (mine.length === 0) return;
    const sent = sendAndMark(mine);
    for (const { position } of mine) {
      const outcome = sent.then((positions) => positions.includes(position));
      outcomes.set(position, outcome);
    }
    for (const position of [...outcomes.keys()].slice(0, -OUTCOMES_KEPT)) outcomes.delete(position);
    await sent;
  }

  /** @returns the positions of what was sent, so that the relay will not send it again */
  async function sendAndMark(pending: PendingEvent[]): Promise<string[]> {
    const sending: Sending = { confirmed: [] };
    try {
      const result = await within(publishDeadlineMs, sendInOrder(pending, sending), 'late' as const);
      if (result === 'late') throw sending.connection?.blocked ?? new Error('not confirmed in time');
      if (sending.confirmed.length > 0) outage.recovered();
    } catch (error) {
      pause(error);
    }
    // A copy: what is confirmed after the deadline is the relay's.
    const confirmed = [...sending.confirmed];
    try {
      await confirmSent(ctx.db, confirmed, false);
      return confirmed;
    } catch (error) {
      pause(error);
      return [];
    }
  }

  function pause(error: unknown): void {
    // Nobody knows the outcome of what is still in flight on it. A late confirm must not be taken for that of another event.
    ctx.broker.discard();
    pausedUntil = ctx.now().getTime() + publishPauseMs;
    outage.failed(error);
  }

  return { publish };
}

/**
 * An event whose user's older one is neither sent nor under way in this process is left to the relay, and holds its user's
 * later ones, which did not see what it waits for.
 * @param outcomes by the position of what was published here
 */
function publishable(pending: PendingEvent[], outcomes: ReadonlyMap<string, unknown>): PendingEvent[] {
  const held = new Set<string>();
  return pending.filter(({ event, mayPublishNow, after }) => {
    if (!mayPublishNow || (after !== null && !outcomes.has(after))) held.add(event.subject);
    return !held.has(event.subject);
  });
}
