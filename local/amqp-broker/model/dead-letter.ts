import type { DeathReason, Queue } from './queue';
import type { Entry } from './ready-list';
import {
  array,
  type Field,
  type FieldTable,
  integerOf,
  long,
  longstr,
  table,
  textOf,
  timestamp,
} from './values/fields';
import { createMessage, type Message } from './values/message';
import { deadLetterProperties } from './values/properties';

interface Death {
  readonly queue: Queue;
  readonly message: Message;
  readonly reason: DeathReason;
  readonly entry: Entry | undefined;
}

/** What dead-lettering needs from the virtual host. */
interface DeadLetterHost {
  readonly exchanges: ReadonlyMap<string, unknown>;
  route(message: Message): Iterable<Queue>;
  removed(queue: Queue, entries: readonly Entry[]): void;
}

/** Publishes dead messages to their queues' dead-letter exchanges (https://www.rabbitmq.com/docs/dlx). */
export class DeadLetters {
  #pending: Death[] = [];

  constructor(private readonly host: DeadLetterHost) {}

  add(death: Death): void {
    this.#pending.push(death);
    // Publishing can cause further deaths. The outermost call handles them in a loop, which keeps the stack flat.
    if (this.#pending.length > 1) return;
    try {
      for (const next of this.#pending) this.#publish(next);
    } finally {
      this.#pending = [];
    }
  }

  /** Publishes, then removes: a crash in between may duplicate the message but does not lose it. */
  #publish({ queue, message, reason, entry }: Death): void {
    const { deadLetterExchange, deadLetterRoutingKey } = queue.settings;
    if (deadLetterExchange !== undefined && this.host.exchanges.has(deadLetterExchange)) {
      const dead = deadLetter(message, queue.name, reason, deadLetterExchange, deadLetterRoutingKey);
      for (const target of this.host.route(dead)) if (!isCycle(dead, target.name)) target.publish(dead);
    }
    if (entry) this.host.removed(queue, [entry]);
  }
}

/** The message that is published to the dead-letter exchange: with its death recorded, without its expiration. */
function deadLetter(
  message: Message,
  queue: string,
  reason: DeathReason,
  exchange: string,
  routingKey: string | undefined,
): Message {
  const headers = new Map(message.headers);
  headers.set('x-death', recordDeath(message, queue, reason));
  if (!headers.has('x-first-death-reason')) {
    headers.set('x-first-death-exchange', longstr(message.exchange));
    headers.set('x-first-death-queue', longstr(queue));
    headers.set('x-first-death-reason', longstr(reason));
  }
  const properties = deadLetterProperties(message.properties, headers);
  return createMessage(exchange, routingKey ?? message.routingKey, properties, message.content);
}

/** The x-death header: one entry per queue and reason, with a count, the latest first. */
function recordDeath(message: Message, queue: string, reason: DeathReason): Field {
  const deaths = deathsOf(message.headers);
  const same = (death: FieldTable) =>
    textOf(death.get('queue')) === queue && textOf(death.get('reason')) === reason;
  const earlier = deaths.find(same);
  const latest: Field = earlier
    ? { tag: 'F', value: new Map(earlier).set('count', long(countAfter(earlier))) }
    : table({
        count: long(1),
        reason: longstr(reason),
        queue: longstr(queue),
        time: timestamp(Math.floor(Date.now() / 1000)),
        exchange: longstr(message.exchange),
        'routing-keys': array([longstr(message.routingKey)]),
        ...(message.expiration === undefined ? {} : { 'original-expiration': longstr(message.expiration) }),
      });
  const rest = deaths.filter((death) => death !== earlier).map((value): Field => ({ tag: 'F', value }));
  return array([latest, ...rest]);
}

/** The next count. A client may have sent any number: this one must fit into 64 bits. */
function countAfter(death: FieldTable): number {
  return Math.min((integerOf(death.get('count')) ?? 0) + 1, Number.MAX_SAFE_INTEGER);
}

/**
 * Whether the message would enter this queue for a second time without having been rejected in between. Like
 * RabbitMQ, the broker drops such a message, because it would circulate forever.
 */
function isCycle(message: Message, queue: string): boolean {
  const deaths = deathsOf(message.headers);
  const last = deaths.findIndex((death) => textOf(death.get('queue')) === queue);
  return last >= 0 && deaths.slice(0, last + 1).every((death) => textOf(death.get('reason')) !== 'rejected');
}

function deathsOf(headers: FieldTable): FieldTable[] {
  const deaths = headers.get('x-death')?.value;
  if (!Array.isArray(deaths)) return [];
  return deaths.flatMap((death: Field) => (death.value instanceof Map ? [death.value] : []));
}
