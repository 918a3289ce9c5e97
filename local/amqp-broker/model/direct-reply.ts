import { randomBytes } from 'node:crypto';
import { AmqpError } from './values/errors';
import { createMessage, type Message } from './values/message';
import { replaceReplyTo } from './values/properties';

/** The pseudo-queue of direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to). */
const REPLY_TO = 'amq.rabbitmq.reply-to';
const PREFIX = `${REPLY_TO}.`;

/** Whether a queue name is the pseudo-queue. */
export function isReplyTo(queue: string): boolean {
  return queue === REPLY_TO;
}

/** A consumer of direct replies. Its name, which nobody can guess, replaces the pseudo-queue in requests. */
export class ReplyConsumer {
  readonly name = PREFIX + randomBytes(24).toString('base64url');

  constructor(
    readonly tag: string,
    readonly deliver: (reply: Message) => void,
  ) {}
}

/** The consumers of direct replies in a virtual host, by name. */
export class DirectReplies {
  readonly #consumers = new Map<string, ReplyConsumer>();

  /** Whether queue.declare answers for this name as for a queue with one consumer. */
  knows(name: string): boolean {
    return name === REPLY_TO || this.#consumers.has(name);
  }

  /** Whether this is the name of a consumer of direct replies, present or past, and so cannot be that of a queue. */
  isReserved(name: string): boolean {
    return name.startsWith(PREFIX);
  }

  add(consumer: ReplyConsumer): void {
    this.#consumers.set(consumer.name, consumer);
  }

  remove(consumer: ReplyConsumer): void {
    this.#consumers.delete(consumer.name);
  }

  /** Delivers a message if it is a direct reply. A reply that nobody waits for is lost. */
  deliver(message: Message): void {
    if (message.exchange !== '') return;
    this.#consumers.get(message.routingKey)?.deliver(message);
  }
}

/**
 * Replaces the pseudo-queue in the reply-to of a request by the name of its channel's consumer. Refuses a request
 * from a channel that does not consume direct replies.
 */
export function addressReply(message: Message, consumer: ReplyConsumer | undefined): Message {
  if (message.replyTo !== REPLY_TO) return message;
  if (!consumer) throw new AmqpError('PRECONDITION_FAILED', 'fast reply consumer does not exist');
  const { exchange, routingKey, properties, content } = message;
  return createMessage(exchange, routingKey, replaceReplyTo(properties, consumer.name), content);
}
