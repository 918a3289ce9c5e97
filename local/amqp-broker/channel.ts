import { randomBytes } from 'node:crypto';
import { Confirms } from './confirms';
import { ChannelConsumer } from './consumer';
import { ContentAssembler, type Publish } from './content';
import { addressReply, ReplyConsumer } from './direct-reply';
import { AmqpError } from './errors';
import { checkMessage, type Message } from './message';
import type { Args, MethodName } from './methods';
import type { Queue } from './queue';
import type { Entry } from './ready-list';
import type { VirtualHost } from './vhost';

/** What a channel needs from its connection. */
export interface ChannelConnection {
  readonly context: { readonly username: string; readonly serving: boolean };
  readonly isCongested: boolean;
  /** Whether the client understands `basic.cancel` from the broker. */
  readonly notifiesCancel: boolean;
  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void;
  requestFlush(): void;
}

/** A message out for acknowledgement. */
interface Delivery {
  readonly queue: Queue;
  readonly entry: Entry;
  readonly consumer: ChannelConsumer | undefined;
}

/** The state of a channel: its consumers, what they hold, and the messages it publishes. */
export class Channel {
  readonly content = new ContentAssembler();
  readonly consumers = new Map<string, ChannelConsumer>();
  /** What an empty queue name stands for. */
  lastQueue: string | undefined;
  /** basic.qos: for each consumer to come, and for all of the channel. */
  consumerPrefetch = 0;
  channelPrefetch = 0;
  confirms: Confirms | undefined;
  #replyConsumer: ReplyConsumer | undefined;
  #deliveries = new Map<number, Delivery>();
  /** How many of the deliveries went to consumers; basic.get is not limited. */
  #consumed = 0;
  #lastTag = 0;

  constructor(
    readonly number: number,
    readonly connection: ChannelConnection,
    readonly vhost: VirtualHost,
  ) {}

  get isCongested(): boolean {
    return this.connection.isCongested;
  }

  get hasRoom(): boolean {
    return this.channelPrefetch === 0 || this.#consumed < this.channelPrefetch;
  }

  send<M extends MethodName>(name: M, args: Args<M>, message?: Message): void {
    this.connection.send(this.number, name, args, message);
  }

  /** The queue a method names; an empty name is the one declared last. */
  queue(name: string): Queue {
    return this.vhost.queue(this.queueName(name), this.connection);
  }

  queueName(name: string): string {
    if (name !== '') return name;
    if (this.lastQueue === undefined) throw new AmqpError('NOT_FOUND', 'no previously declared queue');
    return this.lastQueue;
  }

  selectConfirms(): void {
    this.confirms ??= new Confirms((answer, deliveryTag, multiple) => {
      if (answer === 'ack') this.send('basic.ack', { deliveryTag, multiple });
      else this.send('basic.nack', { deliveryTag, multiple, requeue: false });
    });
  }

  publish({ args, message: published }: Publish): void {
    if (args.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
    const exchange = this.vhost.exchange(args.exchange);
    if (exchange.internal) {
      const what = this.vhost.describe('exchange', exchange.name);
      throw new AmqpError('ACCESS_REFUSED', `cannot publish to internal ${what}`);
    }
    checkMessage(published, this.connection.context.username);
    const message = addressReply(published, this.#replyConsumer);
    const queues = this.vhost.route(message);
    // The return comes before the confirm (https://www.rabbitmq.com/docs/confirms#when-publishes-are-confirmed).
    if (queues.size === 0 && args.mandatory) {
      const { exchange: name, routingKey } = message;
      const reason = { replyCode: 312, replyText: 'NO_ROUTE' };
      this.send('basic.return', { ...reason, exchange: name, routingKey }, message);
    }
    let accepted = true;
    for (const queue of queues) accepted = queue.publish(message) && accepted;
    if (!this.confirms) return;
    this.confirms.record(accepted);
    this.connection.requestFlush();
  }

  consume(queue: Queue, wantedTag: string, noAck: boolean, exclusive: boolean): ChannelConsumer {
    const tag = this.#consumerTag(wantedTag);
    const taken = queue.consumers.some((other) => exclusive || other.exclusive);
    if (taken || (exclusive && queue.settings.singleActiveConsumer)) {
      throw new AmqpError('ACCESS_REFUSED', `${this.vhost.describe('queue', queue.name)} in exclusive use`);
    }
    if (queue.settings.quorum && this.channelPrefetch > 0) {
      const what = this.vhost.describe('queue', queue.name);
      throw new AmqpError('NOT_IMPLEMENTED', `${what} does not support global qos`);
    }
    const consumer = new ChannelConsumer(this, queue, tag, noAck, exclusive, this.consumerPrefetch);
    this.consumers.set(tag, consumer);
    return consumer;
  }

  /** Begins to wait for direct replies; a channel does so once, and cannot acknowledge them. */
  consumeReplies(wantedTag: string, noAck: boolean): ReplyConsumer {
    const tag = this.#consumerTag(wantedTag);
    if (this.#replyConsumer) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer already set');
    if (!noAck) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer cannot acknowledge');
    this.#replyConsumer = new ReplyConsumer(tag, (reply) => this.#deliverReply(tag, reply));
    this.vhost.replies.add(this.#replyConsumer);
    return this.#replyConsumer;
  }

  /** Waits for direct replies no longer: the consumer of this tag was cancelled, or without one the channel ends. */
  cancelReplies(tag?: string): void {
    if (!this.#replyConsumer || (tag !== undefined && tag !== this.#replyConsumer.tag)) return;
    this.vhost.replies.remove(this.#replyConsumer);
    this.#replyConsumer = undefined;
  }

  #deliverReply(consumerTag: string, message: Message): void {
    this.#lastTag += 1;
    const { exchange, routingKey } = message;
    const delivery = { consumerTag, deliveryTag: this.#lastTag, redelivered: false, exchange, routingKey };
    this.send('basic.deliver', delivery, message);
  }

  /** Ends a consumer. What it holds stays with the channel, which may still acknowledge it. */
  cancel(consumer: ChannelConsumer): void {
    this.detach(consumer);
    consumer.queue.dispatch();
  }

  /** Takes a consumer off its queue without passing messages on yet. */
  detach(consumer: ChannelConsumer): void {
    const { queue } = consumer;
    this.consumers.delete(consumer.tag);
    queue.unsubscribe(consumer);
    const unused = queue.identity.autoDelete && queue.consumers.length === 0;
    if (unused && this.connection.context.serving) this.vhost.deleteQueue(queue);
  }

  consumerCancelled(consumer: ChannelConsumer): void {
    this.consumers.delete(consumer.tag);
    if (this.connection.notifiesCancel)
      this.send('basic.cancel', { consumerTag: consumer.tag, nowait: true });
  }

  deliver(consumer: ChannelConsumer, entry: Entry): void {
    const deliveryTag = this.hold(consumer.queue, entry, consumer.noAck, consumer);
    const { exchange, routingKey } = entry.message;
    const { redelivered } = entry;
    this.send(
      'basic.deliver',
      { consumerTag: consumer.tag, deliveryTag, redelivered, exchange, routingKey },
      entry.message,
    );
  }

  /** Gives a message its delivery tag and, unless nobody will acknowledge it, remembers it. */
  hold(queue: Queue, entry: Entry, noAck: boolean, consumer?: ChannelConsumer): number {
    this.#lastTag += 1;
    if (noAck) queue.settle([entry]);
    else {
      this.#deliveries.set(this.#lastTag, { queue, entry, consumer });
      this.#count(consumer, 1);
    }
    return this.#lastTag;
  }

  /** Takes the deliveries a tag names, oldest first; tag 0 with `multiple` means all of them. */
  release(tag: number, multiple: boolean): Delivery[] {
    if (!this.#deliveries.has(tag) && !(multiple && tag === 0)) {
      throw new AmqpError('PRECONDITION_FAILED', `unknown delivery tag ${tag}`);
    }
    const released: Delivery[] = [];
    for (const candidate of multiple ? this.#deliveries.keys() : [tag]) {
      if (multiple && tag !== 0 && candidate > tag) break;
      const delivery = this.#deliveries.get(candidate);
      if (!delivery) continue;
      this.#deliveries.delete(candidate);
      this.#count(delivery.consumer, -1);
      released.push(delivery);
    }
    return released;
  }

  /** Gives everything unacknowledged back to its queues. */
  returnAll(): void {
    this.giveBack(this.release(0, true));
  }

  giveBack(deliveries: readonly Delivery[]): void {
    for (const [queue, entries] of byQueue(deliveries)) queue.giveBack(entries);
    this.resume();
  }

  settle(deliveries: readonly Delivery[]): void {
    for (const [queue, entries] of byQueue(deliveries)) queue.settle(entries);
    this.resume();
  }

  reject(deliveries: readonly Delivery[]): void {
    for (const { queue, entry } of deliveries) queue.reject(entry);
    this.resume();
  }

  /** There is room again: lets the queues this channel consumes from push on. */
  resume(): void {
    for (const { queue } of this.consumers.values()) queue.dispatch();
  }

  #consumerTag(wanted: string): string {
    if (wanted === '') return `amq.ctag-${randomBytes(16).toString('base64url')}`;
    if (this.consumers.has(wanted))
      throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${wanted}'`);
    return wanted;
  }

  #count(consumer: ChannelConsumer | undefined, change: number): void {
    if (!consumer) return;
    consumer.unacked += change;
    this.#consumed += change;
  }
}

function byQueue(deliveries: readonly Delivery[]): Map<Queue, Entry[]> {
  const groups = new Map<Queue, Entry[]>();
  for (const { queue, entry } of deliveries) {
    const entries = groups.get(queue);
    if (entries) entries.push(entry);
    else groups.set(queue, [entry]);
  }
  return groups;
}
