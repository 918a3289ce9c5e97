import type { Change } from './changes';
import { deadLetter, isCycle } from './dead-letter';
import { DirectReplies } from './direct-reply';
import { assertSame, assertSameArguments } from './equivalence';
import { type Binding, Exchange, removeBindingsTo } from './exchange';
import { type DeathReason, Queue, type QueueOwner } from './queue';
import { assertReplicable, comparedArguments, readQueueArguments } from './queue-arguments';
import type { QueueIdentity } from './queue-settings';
import type { Entry } from './ready-list';
import { routeMessage } from './route';
import { checkMatch, EXCHANGE_TYPES } from './routing';
import { AmqpError } from './values/errors';
import { type FieldTable, NO_FIELDS, textOf, typeName } from './values/fields';
import type { Message } from './values/message';

const PREDECLARED = [
  ['', 'direct'],
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
] as const;

interface Death {
  readonly queue: Queue;
  readonly message: Message;
  readonly reason: DeathReason;
  readonly entry: Entry | undefined;
}

/** A virtual host: its exchanges, queues and bindings, and the way of a message through them. */
export class VirtualHost implements QueueOwner {
  readonly exchanges = new Map<string, Exchange>();
  readonly queues = new Map<string, Queue>();
  readonly replies = new DirectReplies();
  #deaths: Death[] = [];

  constructor(
    readonly name: string,
    private readonly report: (change: Change) => void,
  ) {
    for (const [exchange, type] of PREDECLARED) {
      this.exchanges.set(exchange, new Exchange(exchange, type, true, false, false, NO_FIELDS));
    }
  }

  /** How errors name a thing: "queue 'q' in vhost '/'". */
  describe(kind: 'queue' | 'exchange', name: string): string {
    return `${kind} '${name}' in vhost '${this.name}'`;
  }

  exchange(name: string): Exchange {
    const exchange = this.exchanges.get(name);
    if (!exchange) throw new AmqpError('NOT_FOUND', `no ${this.describe('exchange', name)}`);
    return exchange;
  }

  /** The queue, if it is there and not another connection's own. */
  queue(name: string, connection: object): Queue {
    const queue = this.queues.get(name);
    if (!queue) throw new AmqpError('NOT_FOUND', `no ${this.describe('queue', name)}`);
    const { owner } = queue.identity;
    if (owner && owner !== connection) throw this.#locked(name);
    return queue;
  }

  declareExchange(
    name: string,
    type: string,
    durable: boolean,
    autoDelete: boolean,
    internal: boolean,
    args: FieldTable,
  ): void {
    if (!EXCHANGE_TYPES[type]) throw new AmqpError('COMMAND_INVALID', `unknown exchange type '${type}'`);
    const existing = this.exchanges.get(name);
    if (existing) {
      const what = this.describe('exchange', name);
      assertSame(what, 'type', type, existing.type);
      assertSame(what, 'durable', durable, existing.durable);
      assertSame(what, 'auto_delete', autoDelete, existing.autoDelete);
      assertSame(what, 'internal', internal, existing.internal);
      assertSameArguments(what, args, existing.args, ['alternate-exchange']);
      return;
    }
    const alternate = args.get('alternate-exchange');
    if (alternate && textOf(alternate) === undefined) {
      const reason = `invalid type '${typeName(alternate)}' for arg 'alternate-exchange' in ${this.describe('exchange', name)}`;
      throw new AmqpError('PRECONDITION_FAILED', reason);
    }
    const exchange = new Exchange(name, type, durable, autoDelete, internal, args);
    this.exchanges.set(name, exchange);
    this.report({ op: 'exchange', exchange });
  }

  deleteExchange(exchange: Exchange): void {
    this.exchanges.delete(exchange.name);
    exchange.bindings.length = 0;
    this.report({ op: 'exchange-delete', exchange });
    this.#unbindAll(exchange);
  }

  declareQueue(identity: QueueIdentity): Queue {
    const { name, durable, autoDelete, owner, args } = identity;
    const what = this.describe('queue', name);
    const existing = this.queues.get(name);
    if (existing) {
      if (existing.identity.owner !== owner) throw this.#locked(name);
      assertSame(what, 'durable', durable, existing.identity.durable);
      assertSame(what, 'auto_delete', autoDelete, existing.identity.autoDelete);
      assertSameArguments(what, args, existing.identity.args, comparedArguments(existing.settings));
      existing.touch();
      return existing;
    }
    const settings = readQueueArguments(what, args);
    if (settings.quorum) assertReplicable(what, identity);
    const queue = new Queue(identity, settings, this);
    this.queues.set(name, queue);
    this.report({ op: 'queue', queue });
    return queue;
  }

  /** Deletes a queue with its messages, telling its consumers. */
  deleteQueue(queue: Queue): void {
    if (this.queues.get(queue.name) !== queue) return;
    this.queues.delete(queue.name);
    queue.stop();
    this.report({ op: 'queue-delete', queue });
    this.#unbindAll(queue);
    for (const consumer of [...queue.consumers]) consumer.queueDeleted();
  }

  bind(source: Exchange, binding: Binding): void {
    if (source.type === 'headers') checkMatch(binding.args);
    if (source.bind(binding)) this.report({ op: 'bind', source, binding });
  }

  unbind(source: Exchange, binding: Binding): void {
    if (!source.unbind(binding)) return;
    this.report({ op: 'unbind', source, binding });
    this.#deleteUnused(source);
  }

  /** The queues a message goes to. A direct reply goes to no queue, but is delivered here and now. */
  route(message: Message): Set<Queue> {
    this.replies.deliver(message);
    return routeMessage(message, this.exchanges, this.queues);
  }

  died(queue: Queue, message: Message, reason: DeathReason, entry?: Entry): void {
    this.#deaths.push({ queue, message, reason, entry });
    // Publishing may kill the next message; the outermost call deals with them all, so the stack stays flat.
    if (this.#deaths.length > 1) return;
    try {
      for (const death of this.#deaths) this.#bury(death);
    } finally {
      this.#deaths = [];
    }
  }

  added(queue: Queue, entry: Entry): void {
    this.report({ op: 'add', queue, entry });
  }

  removed(queue: Queue, entries: readonly Entry[]): void {
    this.report({ op: 'remove', queue, entries });
  }

  /** Publishes first, then removes: a crash in between may double the message but never loses it. */
  #bury({ queue, message, reason, entry }: Death): void {
    const { deadLetterExchange, deadLetterRoutingKey } = queue.settings;
    if (deadLetterExchange !== undefined && this.exchanges.has(deadLetterExchange)) {
      const dead = deadLetter(message, queue.name, reason, deadLetterExchange, deadLetterRoutingKey);
      for (const target of this.route(dead)) if (!isCycle(dead, target.name)) target.publish(dead);
    }
    if (entry) this.removed(queue, [entry]);
  }

  expired(queue: Queue): void {
    this.deleteQueue(queue);
  }

  #locked(name: string): AmqpError {
    const what = this.describe('queue', name);
    return new AmqpError(
      'RESOURCE_LOCKED',
      `cannot obtain exclusive access to locked ${what}. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
    );
  }

  #unbindAll(destination: Queue | Exchange): void {
    for (const source of removeBindingsTo(destination, this.exchanges.values())) this.#deleteUnused(source);
  }

  #deleteUnused(exchange: Exchange): void {
    if (exchange.autoDelete && exchange.bindings.length === 0) this.deleteExchange(exchange);
  }
}
