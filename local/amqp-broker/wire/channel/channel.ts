import { randomBytes } from 'node:crypto';
import { ReplyConsumer } from '../../model/direct-reply';
import type { Queue } from '../../model/queue';
import type { Entry } from '../../model/ready-list';
import { AmqpError } from '../../model/values/errors';
import type { Message } from '../../model/values/message';
import type { VirtualHost } from '../../model/vhost';
import type { Args, MethodName } from '../codec/methods';
import { Confirms } from './confirms';
import { ChannelConsumer, type ConsumerChannel } from './consumer';
import { ContentAssembler } from './content';
import { Deliveries } from './deliveries';

/** What a channel needs from its connection. */
export interface ChannelConnection {
  readonly context: {
    readonly username: string;
    readonly serving: boolean;
    readonly withholdsConfirms: boolean;
  };
  readonly isCongested: boolean;
  /** Whether the client understands `basic.cancel` from the broker. */
  readonly notifiesCancel: boolean;
  send<M extends MethodName>(channel: number, name: M, args: Args<M>, message?: Message): void;
  requestFlush(): void;
}

/** An open channel: its consumers, its unacknowledged deliveries, and the content that it is receiving. */
export class Channel implements ConsumerChannel {
  readonly content = new ContentAssembler();
  readonly deliveries = new Deliveries();
  readonly consumers = new Map<string, ChannelConsumer>();
  /** The queue that was declared last: an empty queue name means this one. */
  lastQueue: string | undefined;
  /** The prefetch limit of each consumer that is still to come; 0 means none. */
  consumerPrefetch = 0;
  /** Undefined until confirm.select. */
  confirms: Confirms | undefined;
  #replyConsumer: ReplyConsumer | undefined;

  constructor(
    readonly number: number,
    readonly connection: ChannelConnection,
    readonly vhost: VirtualHost,
  ) {}

  get isCongested(): boolean {
    return this.connection.isCongested;
  }

  get hasRoom(): boolean {
    return this.deliveries.hasRoom;
  }

  get replyConsumer(): ReplyConsumer | undefined {
    return this.#replyConsumer;
  }

  send<M extends MethodName>(name: M, args: Args<M>, message?: Message): void {
    this.connection.send(this.number, name, args, message);
  }

  /** The queue that a method names. */
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
      if (this.connection.context.withholdsConfirms) return;
      if (answer === 'ack') this.send('basic.ack', { deliveryTag, multiple });
      else this.send('basic.nack', { deliveryTag, multiple, requeue: false });
    });
  }

  consume(queue: Queue, wantedTag: string, noAck: boolean, exclusive: boolean): ChannelConsumer {
    const tag = this.#consumerTag(wantedTag);
    if (queue.consumers.refuses(exclusive)) {
      throw new AmqpError('ACCESS_REFUSED', `${this.vhost.describe('queue', queue.name)} in exclusive use`);
    }
    if (queue.settings.quorum && this.deliveries.prefetch > 0) {
      const what = this.vhost.describe('queue', queue.name);
      throw new AmqpError('NOT_IMPLEMENTED', `${what} does not support global qos`);
    }
    const consumer = new ChannelConsumer(this, queue, tag, noAck, exclusive, this.consumerPrefetch);
    this.consumers.set(tag, consumer);
    return consumer;
  }

  /** Starts to consume direct replies. A channel has at most one such consumer, which cannot acknowledge. */
  consumeReplies(wantedTag: string, noAck: boolean): ReplyConsumer {
    const tag = this.#consumerTag(wantedTag);
    if (this.#replyConsumer) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer already set');
    if (!noAck) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer cannot acknowledge');
    this.#replyConsumer = new ReplyConsumer(tag, (reply) => this.#deliverReply(tag, reply));
    this.vhost.replies.add(this.#replyConsumer);
    return this.#replyConsumer;
  }

  /** Stops consuming direct replies if the consumer has this tag, or whatever its tag if none is given. */
  cancelReplies(tag?: string): void {
    if (!this.#replyConsumer || (tag !== undefined && tag !== this.#replyConsumer.tag)) return;
    this.vhost.replies.remove(this.#replyConsumer);
    this.#replyConsumer = undefined;
  }

  /** Cancels a consumer. The client can still acknowledge what was delivered to it. */
  cancel(consumer: ChannelConsumer): void {
    this.detach(consumer);
    consumer.queue.dispatch();
  }

  /** Removes a consumer from its queue; the caller dispatches the queue's messages to the others. */
  detach(consumer: ChannelConsumer): void {
    const { queue } = consumer;
    this.consumers.delete(consumer.tag);
    queue.unsubscribe(consumer);
    const unused = queue.definition.autoDelete && queue.consumers.count === 0;
    if (unused && this.connection.context.serving) this.vhost.deleteQueue(queue);
  }

  consumerCancelled({ tag }: ChannelConsumer): void {
    this.consumers.delete(tag);
    if (this.connection.notifiesCancel) this.send('basic.cancel', { consumerTag: tag, nowait: true });
  }

  deliver(consumer: ChannelConsumer, entry: Entry): void {
    const deliveryTag = this.deliveries.add(consumer.queue, entry, consumer.noAck, consumer);
    this.#deliver(consumer.tag, deliveryTag, entry.redelivered, entry.message);
  }

  /** Dispatches the queues that this channel consumes from, once it can take messages again. */
  resume(): void {
    for (const { queue } of this.consumers.values()) queue.dispatch();
  }

  #deliverReply(tag: string, reply: Message): void {
    this.#deliver(tag, this.deliveries.nextTag(), false, reply);
  }

  #deliver(consumerTag: string, deliveryTag: number, redelivered: boolean, message: Message): void {
    const { exchange, routingKey } = message;
    this.send('basic.deliver', { consumerTag, deliveryTag, redelivered, exchange, routingKey }, message);
  }

  #consumerTag(wanted: string): string {
    if (wanted === '') return `amq.ctag-${randomBytes(16).toString('base64url')}`;
    if (this.consumers.has(wanted))
      throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${wanted}'`);
    return wanted;
  }
}
