import type { Queue } from './queue';
import type { Entry } from './ready-list';
import {
  bindingRecord,
  exchangeRecord,
  isStored,
  messageRecord,
  queueRecord,
  type StoredRecord,
} from './records';
import type { VirtualHost } from './vhost';

interface QueueContent {
  readonly vhost: string;
  readonly queue: Queue;
  readonly entries: readonly Entry[];
}

/**
 * The shortest list of records that leads to the present state: whatever changes while it is walked, it stays
 * what the state was at this call. The records of messages, by far the most, are made on the way.
 */
export function snapshot(vhosts: Iterable<VirtualHost>): Iterable<StoredRecord> {
  const definitions: StoredRecord[] = [];
  const bindings: StoredRecord[] = [];
  const contents: QueueContent[] = [];
  for (const { name: vhost, exchanges, queues } of vhosts) {
    const kept = [...exchanges.values()].filter(({ durable }) => durable);
    for (const exchange of kept) {
      const predeclared = exchange.name === '' || exchange.name.startsWith('amq.');
      if (!predeclared) definitions.push({ record: exchangeRecord(vhost, exchange) });
      for (const binding of exchange.bindings) {
        const record = bindingRecord(vhost, 'bind', exchange, binding);
        if (record) bindings.push({ record });
      }
    }
    for (const queue of queues.values()) {
      if (!isStored(queue)) continue;
      definitions.push({ record: queueRecord(vhost, queue) });
      const entries = [...queue.ready, ...queue.unacked].filter(({ durable }) => durable);
      entries.sort((a, b) => a.position - b.position);
      contents.push({ vhost, queue, entries });
    }
  }
  return records([...definitions, ...bindings], contents);
}

function* records(
  definitions: readonly StoredRecord[],
  contents: readonly QueueContent[],
): Generator<StoredRecord> {
  yield* definitions;
  for (const { vhost, queue, entries } of contents) {
    for (const entry of entries) yield messageRecord(vhost, queue, entry);
  }
}
