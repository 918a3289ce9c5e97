import { randomBytes } from 'node:crypto';
import { AmqpError } from './values/errors';
import { createMessage, type Message } from './values/message';
import { replaceReplyTo } from './values/properties';

/** The pseudo-queue of direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to). */
const REPLY_TO = 'amq.rabbitmq.reply-to';
const PREFIX = `${REPLY_TO}.`;

/** Whether a name is the pseudo-queue itself. */
export function isReplyTo(queue: string): boolean {
  return queue === REPLY_TO;
}

/** A channel that waits for replies, under a name that only those it asked know. */
export class ReplyConsumer {
  readonly name = PREFIX + randomBytes(24).toString('base64url');

  constructor(
    readonly tag: string,
    readonly deliver: (reply: Message) => void,
  ) {}
}

/** The channels of a virtual host that wait for replies, by the names in their requests. */
export class DirectReplies {
  readonly #consumers = new Map<string, ReplyConsumer>();

  /** Whether a queue.declare of this name is answered as if it were a queue with one consumer. */
  knows(name: string): boolean {
    return name === REPLY_TO || this.#consumers.has(name);
  }

  /** Whether a name is one of those given out, in use or not: never that of a queue. */
  isReserved(name: string): boolean {
    return name.startsWith(PREFIX);
  }

  add(consumer: ReplyConsumer): void {
    this.#consumers.set(consumer.name, consumer);
  }

  remove(consumer: ReplyConsumer): void {
    this.#consumers.delete(consumer.name);
  }

  /** Hands a reply to whoever waits for it; it is lost when nobody does. */
  deliver(message: Message): void {
    if (message.exchange !== '') return;
    this.#consumers.get(message.routingKey)?.deliver(message);
  }
}

/**
 * A request with the channel's own name in place of the pseudo-queue's. Refuses one of a channel that does not
 * wait for replies.
 */
export function addressReply(message: Message, consumer: ReplyConsumer | undefined): Message {
  if (message.replyTo !== REPLY_TO) return message;
  if (!consumer) throw new AmqpError('PRECONDITION_FAILED', 'fast reply consumer does not exist');
  const { exchange, routingKey, properties, content } = message;
  return createMessage(exchange, routingKey, replaceReplyTo(properties, consumer.name), content);
}
