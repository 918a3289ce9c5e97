import { EXCHANGE_TYPES } from './exchange-types';
import { Queue } from './queue';
import { tableBytes } from './values/field-codec';
import { type FieldTable, textOf } from './values/fields';
import type { Message } from './values/message';

/** What an exchange is declared as. */
export interface ExchangeDefinition {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly args: FieldTable;
}

export interface Binding {
  readonly destination: Queue | Exchange;
  readonly routingKey: string;
  readonly args: FieldTable;
}

/** An exchange, and the bindings of which it is the source. */
export class Exchange {
  readonly bindings: Binding[] = [];

  constructor(readonly definition: ExchangeDefinition) {}

  get name(): string {
    return this.definition.name;
  }

  get durable(): boolean {
    return this.definition.durable;
  }

  /** The exchange that gets the messages which this one cannot route. */
  get alternate(): string | undefined {
    return textOf(this.definition.args.get('alternate-exchange'));
  }

  /** The destinations of the bindings that match the message. */
  destinations(message: Message): (Queue | Exchange)[] {
    const matches = EXCHANGE_TYPES[this.definition.type];
    return this.bindings
      .filter(({ routingKey, args }) => matches?.(routingKey, args, message.routingKey, message.headers))
      .map(({ destination }) => destination);
  }

  has(binding: Binding): boolean {
    return this.#find(binding) >= 0;
  }

  /** Adds a binding; false if it exists already. */
  bind(binding: Binding): boolean {
    if (this.has(binding)) return false;
    this.bindings.push(binding);
    return true;
  }

  /** Removes a binding; false if it does not exist. */
  unbind(binding: Binding): boolean {
    const index = this.#find(binding);
    if (index < 0) return false;
    this.bindings.splice(index, 1);
    return true;
  }

  /** Bindings are the same if source, destination, routing key and arguments are. */
  #find({ destination, routingKey, args }: Binding): number {
    const bytes = tableBytes(args);
    return this.bindings.findIndex(
      (other) =>
        other.destination === destination &&
        other.routingKey === routingKey &&
        tableBytes(other.args).equals(bytes),
    );
  }
}

/** Removes every binding to a destination; returns the exchanges that had one. */
export function removeBindingsTo(destination: Queue | Exchange, exchanges: Iterable<Exchange>): Exchange[] {
  return [...exchanges].filter((source) => {
    const kept = source.bindings.filter((binding) => binding.destination !== destination);
    const removed = source.bindings.length - kept.length;
    if (removed > 0) source.bindings.splice(0, source.bindings.length, ...kept);
    return removed > 0;
  });
}

/** The queues that a message is routed to, through exchange bindings and alternate exchanges; each of them once. */
export function routeMessage(
  message: Message,
  exchanges: ReadonlyMap<string, Exchange>,
  queues: ReadonlyMap<string, Queue>,
): Set<Queue> {
  const reached = new Set<Queue>();
  const start = exchanges.get(message.exchange);
  const visited = new Set(start ? [start] : []);
  // The loop also visits what it adds to the set, each exchange once, so that cycles end.
  for (const exchange of visited) {
    // Every queue is bound to the default exchange by its name (AMQP 0-9-1, section 3.1.3.1).
    const named = exchange.name === '' ? queues.get(message.routingKey) : undefined;
    const destinations = named ? [named] : exchange.destinations(message);
    for (const destination of destinations) {
      if (destination instanceof Queue) reached.add(destination);
      else visited.add(destination);
    }
    if (destinations.length > 0 || exchange.alternate === undefined) continue;
    const alternate = exchanges.get(exchange.alternate);
    if (alternate) visited.add(alternate);
  }
  return reached;
}
