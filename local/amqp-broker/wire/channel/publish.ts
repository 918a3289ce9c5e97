import { addressReply } from '../../model/direct-reply';
import { MAX_EXPIRY } from '../../model/queue-arguments';
import { AmqpError } from '../../model/values/errors';
import type { Message } from '../../model/values/message';
import type { Channel } from './channel';
import type { Publish } from './content';

/** Routes a published message to its queues, and records whether they accepted it for the publisher confirm. */
export function publish(channel: Channel, { args, message: published }: Publish): void {
  const { vhost, connection } = channel;
  if (args.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
  const exchange = vhost.exchange(args.exchange);
  if (exchange.definition.internal) {
    const what = vhost.describe('exchange', exchange.name);
    throw new AmqpError('ACCESS_REFUSED', `cannot publish to internal ${what}`);
  }
  checkMessage(published, connection.context.username);
  const message = addressReply(published, channel.replyConsumer);
  const queues = vhost.route(message);
  // The return comes before the confirm (https://www.rabbitmq.com/docs/confirms#when-publishes-are-confirmed).
  if (queues.size === 0 && args.mandatory) {
    const { exchange: name, routingKey } = message;
    const reason = { replyCode: 312, replyText: 'NO_ROUTE' };
    channel.send('basic.return', { ...reason, exchange: name, routingKey }, message);
  }
  let accepted = true;
  for (const queue of queues) accepted = queue.publish(message) && accepted;
  if (!channel.confirms) return;
  channel.confirms.record(accepted);
  connection.requestFlush();
}

/**
 * Refuses an expiration that is not a whole number of milliseconds (https://www.rabbitmq.com/docs/ttl), and a
 * user id other than the connection's (https://www.rabbitmq.com/docs/validated-user-id).
 */
function checkMessage({ expiration, userId }: Message, username: string): void {
  const reason = expiration === undefined ? undefined : wrongExpiration(expiration);
  if (reason) throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': ${reason}`);
  if (userId !== undefined && userId !== username) {
    const reason = `user_id property set to '${userId}' but authenticated user was '${username}'`;
    throw new AmqpError('PRECONDITION_FAILED', reason);
  }
}

/** Why RabbitMQ refuses an expiration, in its words. */
function wrongExpiration(expiration: string): string | undefined {
  const [number] = /^[+-]?\d+/.exec(expiration) ?? [];
  if (number === undefined) return 'no_integer';
  const rest = expiration.slice(number.length);
  if (rest !== '') return `{leftover_string,${JSON.stringify(rest)}}`;
  if (BigInt(number) < 0n) return `{value_negative,${BigInt(number)}}`;
  return Number(number) > MAX_EXPIRY ? `{value_too_large,${BigInt(number)}}` : undefined;
}
