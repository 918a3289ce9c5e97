import { Exchange, removeBindingsTo } from '../model/exchange';
import { Queue } from '../model/queue';
import { queueSettings } from '../model/queue-settings';
import { ByteReader } from '../model/values/bytes';
import { readTable } from '../model/values/field-codec';
import { type FieldTable, textOf } from '../model/values/fields';
import { createMessage, type Message } from '../model/values/message';
import type { VirtualHost } from '../model/vhost';
import type { JournalRecord } from './records';

interface StoredMessage {
  readonly message: Message;
  readonly expiresAt: number | undefined;
}

/** Rebuilds virtual hosts from the records of a journal. */
export class Restore {
  /** The messages of each queue by position, so that removing one costs the same wherever it is. */
  readonly #messages = new Map<Queue, Map<number, StoredMessage>>();

  constructor(private readonly vhostOf: (name: string) => VirtualHost) {}

  /** Applies a record. Deletions do not cascade: whatever was deleted along with something has its own record. */
  apply(record: JournalRecord, body: Buffer): void {
    const vhost = this.vhostOf(record.vhost);
    const { exchanges, queues } = vhost;
    switch (record.op) {
      case 'exchange': {
        const { name, type, autoDelete, internal } = record;
        const args = table(record.args);
        exchanges.set(name, new Exchange({ name, type, durable: true, autoDelete, internal, args }));
        return;
      }
      case 'exchange-delete': {
        const exchange = exchanges.get(record.name);
        exchanges.delete(record.name);
        if (exchange) removeBindingsTo(exchange, exchanges.values());
        return;
      }
      case 'queue': {
        this.#declare(vhost, record.name, record.autoDelete, table(record.args));
        return;
      }
      case 'queue-delete': {
        const queue = queues.get(record.name);
        queues.delete(record.name);
        if (!queue) return;
        queue.stop();
        this.#messages.delete(queue);
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
        // A copy: a slice would keep the whole journal in memory.
        const bytes = Buffer.from(body);
        const properties = bytes.subarray(0, record.properties);
        const content = bytes.subarray(record.properties);
        const message = createMessage(record.exchange, record.key, properties, content);
        this.#in(queues.get(record.queue))?.set(record.position, { message, expiresAt: record.expiresAt });
        return;
      }
      case 'remove': {
        const messages = this.#in(queues.get(record.queue));
        for (const position of record.positions) messages?.delete(position);
      }
    }
  }

  /** Puts the remaining messages into their queues, in the order in which they were published. */
  finish(): void {
    for (const [queue, messages] of this.#messages) {
      for (const [position, { message, expiresAt }] of messages) queue.restore(message, position, expiresAt);
    }
    this.#messages.clear();
  }

  /** Skips the checks of queue.declare: what was once accepted must not keep the broker from starting. */
  #declare(vhost: VirtualHost, name: string, autoDelete: boolean, args: FieldTable): void {
    const type = textOf(args.get('x-queue-type')) === 'quorum' ? 'quorum' : 'classic';
    const definition = { name, durable: true, autoDelete, owner: undefined, args };
    vhost.queues.set(name, new Queue(definition, queueSettings(type, args), vhost));
  }

  #in(queue: Queue | undefined): Map<number, StoredMessage> | undefined {
    if (!queue) return undefined;
    const messages = this.#messages.get(queue) ?? new Map<number, StoredMessage>();
    this.#messages.set(queue, messages);
    return messages;
  }
}

function table(base64: string): FieldTable {
  return readTable(new ByteReader(Buffer.from(base64, 'base64')));
}
