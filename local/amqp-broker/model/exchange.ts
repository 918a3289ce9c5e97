import type { Queue } from './queue';
import { EXCHANGE_TYPES } from './routing';
import { type FieldTable, tableBytes, textOf } from './values/fields';
import type { Message } from './values/message';

export interface Binding {
  readonly destination: Queue | Exchange;
  readonly routingKey: string;
  readonly args: FieldTable;
}

/** An exchange and the bindings that start at it. */
export class Exchange {
  readonly bindings: Binding[] = [];

  constructor(
    readonly name: string,
    readonly type: string,
    readonly durable: boolean,
    readonly autoDelete: boolean,
    readonly internal: boolean,
    readonly args: FieldTable,
  ) {}

  get alternate(): string | undefined {
    return textOf(this.args.get('alternate-exchange'));
  }

  /** What this exchange's own bindings let the message through to. */
  destinations(message: Message): (Queue | Exchange)[] {
    const matches = EXCHANGE_TYPES[this.type];
    return this.bindings
      .filter(({ routingKey, args }) => matches?.(routingKey, args, message.routingKey, message.headers))
      .map(({ destination }) => destination);
  }

  has(binding: Binding): boolean {
    return this.#find(binding) >= 0;
  }

  /** Adds a binding; false when the same one is there already. */
  bind(binding: Binding): boolean {
    if (this.has(binding)) return false;
    this.bindings.push(binding);
    return true;
  }

  /** Removes a binding; false when there is no such one. */
  unbind(binding: Binding): boolean {
    const index = this.#find(binding);
    if (index < 0) return false;
    this.bindings.splice(index, 1);
    return true;
  }

  /** A binding is its two ends, its key and its arguments. */
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

/** Removes every binding that ends at a destination; returns the exchanges they started at. */
export function removeBindingsTo(destination: Queue | Exchange, exchanges: Iterable<Exchange>): Exchange[] {
  return [...exchanges].filter((source) => {
    const kept = source.bindings.filter((binding) => binding.destination !== destination);
    const removed = source.bindings.length - kept.length;
    if (removed > 0) source.bindings.splice(0, source.bindings.length, ...kept);
    return removed > 0;
  });
}
