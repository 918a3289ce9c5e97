import type { Binding, Exchange } from './exchange';
import { type FieldTable, tableBytes } from './fields';
import { Queue } from './queue';
import type { Entry } from './ready-list';

/** What the journal keeps: one record for every change of something durable. Tables travel as base64 of their bytes. */
export type JournalRecord =
  | {
      readonly op: 'exchange';
      readonly vhost: string;
      readonly name: string;
      readonly type: string;
      readonly autoDelete: boolean;
      readonly internal: boolean;
      readonly args: string;
    }
  | { readonly op: 'exchange-delete'; readonly vhost: string; readonly name: string }
  | {
      readonly op: 'queue';
      readonly vhost: string;
      readonly name: string;
      readonly autoDelete: boolean;
      readonly args: string;
    }
  | { readonly op: 'queue-delete'; readonly vhost: string; readonly name: string }
  | {
      readonly op: 'bind' | 'unbind';
      readonly vhost: string;
      readonly source: string;
      readonly kind: 'queue' | 'exchange';
      readonly destination: string;
      readonly key: string;
      readonly args: string;
    }
  | {
      /** A message; its property list and its content follow as bytes, the first `properties` of them the list. */
      readonly op: 'add';
      readonly vhost: string;
      readonly queue: string;
      readonly position: number;
      readonly exchange: string;
      readonly key: string;
      readonly expiresAt?: number | undefined;
      readonly properties: number;
    }
  | {
      readonly op: 'remove';
      readonly vhost: string;
      readonly queue: string;
      readonly positions: readonly number[];
    };

export interface StoredRecord {
  readonly record: JournalRecord;
  readonly body?: readonly Buffer[];
}

/** Whether a queue outlives the broker: an exclusive one ends with its connection. */
export function isStored({ identity }: Queue): boolean {
  return identity.durable && identity.owner === undefined;
}

export function exchangeRecord(vhost: string, exchange: Exchange): JournalRecord {
  const { name, type, autoDelete, internal, args } = exchange;
  return { op: 'exchange', vhost, name, type, autoDelete, internal, args: base64(args) };
}

export function queueRecord(vhost: string, { identity }: Queue): JournalRecord {
  const { name, autoDelete, args } = identity;
  return { op: 'queue', vhost, name, autoDelete, args: base64(args) };
}

/** The record of a binding, if both its ends outlive the broker. */
export function bindingRecord(
  vhost: string,
  op: 'bind' | 'unbind',
  source: Exchange,
  { destination, routingKey, args }: Binding,
): JournalRecord | undefined {
  const isQueue = destination instanceof Queue;
  if (!source.durable || !(isQueue ? isStored(destination) : destination.durable)) return undefined;
  const kind = isQueue ? 'queue' : 'exchange';
  const ends = { source: source.name, kind, destination: destination.name } as const;
  return { op, vhost, ...ends, key: routingKey, args: base64(args) };
}

export function messageRecord(
  vhost: string,
  queue: Queue,
  { message, position, expiresAt }: Entry,
): StoredRecord {
  const { exchange, routingKey, properties, content } = message;
  const place = { vhost, queue: queue.name, position };
  return {
    record: { op: 'add', ...place, exchange, key: routingKey, expiresAt, properties: properties.length },
    body: [properties, content],
  };
}

function base64(table: FieldTable): string {
  return tableBytes(table).toString('base64');
}
