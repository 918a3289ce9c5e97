import type { Change } from '../model/changes';
import type { Queue } from '../model/queue';
import type { Entry } from '../model/ready-list';
import type { VirtualHost } from '../model/vhost';
import { recordOf, type StoredRecord } from './records';

interface QueueContent {
  readonly vhost: string;
  readonly queue: Queue;
  readonly entries: readonly Entry[];
}

/**
 * The shortest list of records that leads to the present state. Later changes do not affect it. The records of
 * messages, by far the most, are made only as the list is read.
 */
export function snapshot(vhosts: Iterable<VirtualHost>): Iterable<StoredRecord> {
  const definitions: StoredRecord[] = [];
  const bindings: StoredRecord[] = [];
  const contents: QueueContent[] = [];
  for (const { name: vhost, exchanges, queues } of vhosts) {
    for (const exchange of exchanges.values()) {
      const predeclared = exchange.name === '' || exchange.name.startsWith('amq.');
      if (!predeclared) definitions.push(...recordsOf(vhost, { op: 'exchange', exchange }));
      for (const binding of exchange.bindings) {
        bindings.push(...recordsOf(vhost, { op: 'bind', source: exchange, binding }));
      }
    }
    for (const queue of queues.values()) {
      if (!queue.durable) continue;
      definitions.push(...recordsOf(vhost, { op: 'queue', queue }));
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
    for (const entry of entries) yield* recordsOf(vhost, { op: 'add', queue, entry });
  }
}

function recordsOf(vhost: string, change: Change): StoredRecord[] {
  const record = recordOf(vhost, change);
  return record ? [record] : [];
}
