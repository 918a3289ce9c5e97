import type { Change } from '../model/changes';
import { Queue } from '../model/queue';
import { tableBytes } from '../model/values/field-codec';
import type { FieldTable } from '../model/values/fields';

/** A record of the journal: one change of something durable. Field tables are stored as base64. */
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
      /** A message. Its property list, of `properties` bytes, and its content follow the JSON. */
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

/** The record of a change; undefined for what does not outlive the broker. */
export function recordOf(vhost: string, change: Change): StoredRecord | undefined {
  switch (change.op) {
    case 'exchange': {
      const { name, type, durable, autoDelete, internal, args } = change.exchange.definition;
      if (!durable) return undefined;
      return { record: { op: 'exchange', vhost, name, type, autoDelete, internal, args: base64(args) } };
    }
    case 'queue': {
      const { name, durable, autoDelete, args } = change.queue.definition;
      return durable ? { record: { op: 'queue', vhost, name, autoDelete, args: base64(args) } } : undefined;
    }
    case 'exchange-delete': {
      const { name, durable } = change.exchange;
      return durable ? { record: { op: 'exchange-delete', vhost, name } } : undefined;
    }
    case 'queue-delete': {
      const { name, durable } = change.queue;
      return durable ? { record: { op: 'queue-delete', vhost, name } } : undefined;
    }
    case 'bind':
    case 'unbind': {
      const { op, source, binding } = change;
      const { destination, routingKey: key, args } = binding;
      if (!source.durable || !destination.durable) return undefined;
      const kind = destination instanceof Queue ? 'queue' : 'exchange';
      const ends = { source: source.name, kind, destination: destination.name } as const;
      return { record: { op, vhost, ...ends, key, args: base64(args) } };
    }
    case 'add': {
      const { message, position, durable, expiresAt } = change.entry;
      if (!durable) return undefined;
      const { exchange, routingKey: key, properties, content } = message;
      const place = { vhost, queue: change.queue.name, position };
      return {
        record: { op: 'add', ...place, exchange, key, expiresAt, properties: properties.length },
        body: [properties, content],
      };
    }
    case 'remove': {
      const positions = change.entries.filter(({ durable }) => durable).map(({ position }) => position);
      if (positions.length === 0) return undefined;
      return { record: { op: 'remove', vhost, queue: change.queue.name, positions } };
    }
  }
}

function base64(table: FieldTable): string {
  return tableBytes(table).toString('base64');
}
