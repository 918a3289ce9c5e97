import { ByteReader } from './bytes';
import { Exchange, removeBindingsTo } from './exchange';
import { type FieldTable, readTable } from './fields';
import { createMessage } from './message';
import {
  bindingRecord,
  exchangeRecord,
  isStored,
  type JournalRecord,
  messageRecord,
  queueRecord,
  type StoredRecord,
} from './records';
import type { VirtualHost } from './vhost';

/** Does again what a record says. Nothing cascades: what a deletion took along has records of its own. */
export function applyRecord(vhost: VirtualHost, record: JournalRecord, body: Buffer): void {
  const { exchanges, queues } = vhost;
  switch (record.op) {
    case 'exchange': {
      const { name, type, autoDelete, internal } = record;
      exchanges.set(name, new Exchange(name, type, true, autoDelete, internal, table(record.args)));
      return;
    }
    case 'exchange-delete': {
      const exchange = exchanges.get(record.name);
      exchanges.delete(record.name);
      if (exchange) removeBindingsTo(exchange, exchanges.values());
      return;
    }
    case 'queue': {
      const { name, autoDelete } = record;
      vhost.declareQueue({ name, durable: true, autoDelete, owner: undefined, args: table(record.args) });
      return;
    }
    case 'queue-delete': {
      const queue = queues.get(record.name);
      queues.delete(record.name);
      if (!queue) return;
      queue.stop();
      removeBindingsTo(queue, exchanges.values());
      return;
    }
    case 'bind':
    case 'unbind': {
      const source = exchanges.get(record.source);
      const destination = (record.kind === 'queue' ? queues : exchanges).get(record.destination);
      if (source && destination) {
        source[record.op]({ destination, routingKey: record.key, args: table(record.args) });
      }
      return;
    }
    case 'add': {
      // Copied, so that one message left does not keep the whole journal in memory.
      const bytes = Buffer.from(body);
      const properties = bytes.subarray(0, record.properties);
      const message = createMessage(
        record.exchange,
        record.key,
        properties,
        bytes.subarray(record.properties),
      );
      queues.get(record.queue)?.restore(message, record.position, record.expiresAt);
      return;
    }
    case 'remove': {
      const queue = queues.get(record.queue);
      for (const position of record.positions) queue?.ready.remove(position);
    }
  }
}

/** The shortest list of records that leads to the present state. */
export function* snapshot(vhosts: Iterable<VirtualHost>): Generator<StoredRecord> {
  for (const { name: vhost, exchanges, queues } of vhosts) {
    const kept = [...exchanges.values()].filter(({ durable }) => durable);
    for (const exchange of kept) {
      const predeclared = exchange.name === '' || exchange.name.startsWith('amq.');
      if (!predeclared) yield { record: exchangeRecord(vhost, exchange) };
    }
    for (const queue of queues.values()) {
      if (!isStored(queue)) continue;
      yield { record: queueRecord(vhost, queue) };
      const entries = [...queue.ready, ...queue.unacked].filter(({ durable }) => durable);
      entries.sort((a, b) => a.position - b.position);
      for (const entry of entries) yield messageRecord(vhost, queue, entry);
    }
    for (const exchange of kept) {
      for (const binding of exchange.bindings) {
        const record = bindingRecord(vhost, 'bind', exchange, binding);
        if (record) yield { record };
      }
    }
  }
}

function table(base64: string): FieldTable {
  return readTable(new ByteReader(Buffer.from(base64, 'base64')));
}
