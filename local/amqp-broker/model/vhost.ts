import type { Change } from './changes';
import { DeadLetters } from './dead-letter';
import { DirectReplies } from './direct-reply';
import { assertSameExchange, assertSameQueue } from './equivalence';
import { type Binding, Exchange, type ExchangeDefinition, removeBindingsTo, routeMessage } from './exchange';
import { checkMatch, EXCHANGE_TYPES } from './exchange-types';
import { type DeathReason, Queue, type QueueOwner } from './queue';
import { assertReplicable, readQueueArguments } from './queue-arguments';
import type { QueueDefinition } from './queue-settings';
import type { Entry } from './ready-list';
import { AmqpError } from './values/errors';
import { NO_FIELDS, textOf, typeName } from './values/fields';
import type { Message } from './values/message';

const PREDECLARED = [
  ['', 'direct'],
  ['amq.direct', 'direct'],
  ['amq.fanout', 'fanout'],
  ['amq.topic', 'topic'],
  ['amq.headers', 'headers'],
  ['amq.match', 'headers'],
] as const;

/** A virtual host: its exchanges, queues and bindings, and the routing of messages through them. */
export class VirtualHost implements QueueOwner {
  readonly exchanges = new Map<string, Exchange>();
  readonly queues = new Map<string, Queue>();
  readonly replies = new DirectReplies();
  readonly #deadLetters = new DeadLetters(this);

  /** `report` is called with every change of exchanges, queues, bindings and messages. */
  constructor(
    readonly name: string,
    private readonly report: (change: Change) => void,
  ) {
    const rest = { durable: true, autoDelete: false, internal: false, args: NO_FIELDS };
    for (const [exchange, type] of PREDECLARED) {
      this.exchanges.set(exchange, new Exchange({ name: exchange, type, ...rest }));
    }
  }

  /** How errors name a queue or an exchange: "queue 'q' in vhost '/'". */
  describe(kind: 'queue' | 'exchange', name: string): string {
    return `${kind} '${name}' in vhost '${this.name}'`;
  }

  /** Throws NOT_FOUND if there is no such exchange. */
  exchange(name: string): Exchange {
    const exchange = this.exchanges.get(name);
    if (!exchange) throw new AmqpError('NOT_FOUND', `no ${this.describe('exchange', name)}`);
    return exchange;
  }

  /** Throws NOT_FOUND if there is no such queue, RESOURCE_LOCKED if it is exclusive to another connection. */
  queue(name: string, connection: object): Queue {
    const queue = this.queues.get(name);
    if (!queue) throw new AmqpError('NOT_FOUND', `no ${this.describe('queue', name)}`);
    const { owner } = queue.definition;
    if (owner && owner !== connection) throw this.#locked(name);
    return queue;
  }

  declareExchange(definition: ExchangeDefinition): void {
    const { name, type, args } = definition;
    const what = this.describe('exchange', name);
    if (!EXCHANGE_TYPES[type]) throw new AmqpError('COMMAND_INVALID', `unknown exchange type '${type}'`);
    const existing = this.exchanges.get(name);
    if (existing) {
      assertSameExchange(what, definition, existing.definition);
      return;
    }
    const alternate = args.get('alternate-exchange');
    if (alternate && textOf(alternate) === undefined) {
      const reason = `invalid type '${typeName(alternate)}' for arg 'alternate-exchange' in ${what}`;
      throw new AmqpError('PRECONDITION_FAILED', reason);
    }
    const exchange = new Exchange(definition);
    this.exchanges.set(name, exchange);
    this.report({ op: 'exchange', exchange });
  }

  deleteExchange(exchange: Exchange): void {
    this.exchanges.delete(exchange.name);
    exchange.bindings.length = 0;
    this.report({ op: 'exchange-delete', exchange });
    this.#unbindAll(exchange);
  }

  declareQueue(definition: QueueDefinition): Queue {
    const { name, owner, args } = definition;
    const what = this.describe('queue', name);
    const existing = this.queues.get(name);
    if (existing) {
      if (existing.definition.owner !== owner) throw this.#locked(name);
      assertSameQueue(what, definition, existing);
      existing.touch();
      return existing;
    }
    const settings = readQueueArguments(what, args);
    if (settings.quorum) assertReplicable(what, definition);
    const queue = new Queue(definition, settings, this);
    this.queues.set(name, queue);
    this.report({ op: 'queue', queue });
    return queue;
  }

  /** Deletes a queue with its messages, and tells its consumers. */
  deleteQueue(queue: Queue): void {
    if (this.queues.get(queue.name) !== queue) return;
    this.queues.delete(queue.name);
    queue.stop();
    this.report({ op: 'queue-delete', queue });
    this.#unbindAll(queue);
    queue.consumers.queueDeleted();
  }

  bind(source: Exchange, binding: Binding): void {
    if (source.definition.type === 'headers') checkMatch(binding.args);
    if (source.bind(binding)) this.report({ op: 'bind', source, binding });
  }

  unbind(source: Exchange, binding: Binding): void {
    if (!source.unbind(binding)) return;
    this.report({ op: 'unbind', source, binding });
    this.#deleteUnused(source);
  }

  /** The queues that a message is routed to. A direct reply is delivered at once instead. */
  route(message: Message): Set<Queue> {
    this.replies.deliver(message);
    return routeMessage(message, this.exchanges, this.queues);
  }

  died(queue: Queue, message: Message, reason: DeathReason, entry?: Entry): void {
    this.#deadLetters.add({ queue, message, reason, entry });
  }

  added(queue: Queue, entry: Entry): void {
    this.report({ op: 'add', queue, entry });
  }

  removed(queue: Queue, entries: readonly Entry[]): void {
    this.report({ op: 'remove', queue, entries });
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
    if (exchange.definition.autoDelete && exchange.bindings.length === 0) this.deleteExchange(exchange);
  }
}
