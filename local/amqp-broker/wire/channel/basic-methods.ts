import { isReplyTo } from '../../model/direct-reply';
import { checkConsumeArguments } from '../../model/queue-arguments';
import { AmqpError } from '../../model/values/errors';
import type { Handlers } from '../codec/methods';
import type { Channel } from './channel';

export const basicMethods: Handlers<Channel> = {
  'basic.qos'(channel, { prefetchSize, prefetchCount, global }) {
    if (prefetchSize > 0) throw new AmqpError('NOT_IMPLEMENTED', `prefetch_size!=0 (${prefetchSize})`);
    // What `global` means to RabbitMQ (https://www.rabbitmq.com/docs/consumer-prefetch).
    if (global) channel.deliveries.prefetch = prefetchCount;
    else channel.consumerPrefetch = prefetchCount;
    channel.send('basic.qos-ok', {});
    channel.resume();
  },

  'basic.consume'(channel, { queue: name, consumerTag, noAck, exclusive, nowait, arguments: args }) {
    if (isReplyTo(name)) {
      const { tag } = channel.consumeReplies(consumerTag, noAck);
      if (!nowait) channel.send('basic.consume-ok', { consumerTag: tag });
      return;
    }
    const queue = channel.queue(name);
    checkConsumeArguments(channel.vhost.describe('queue', queue.name), queue.settings, args);
    const consumer = channel.consume(queue, consumerTag, noAck, exclusive);
    if (!nowait) channel.send('basic.consume-ok', { consumerTag: consumer.tag });
    // After the reply, because the first message may be delivered at once.
    queue.subscribe(consumer);
  },

  'basic.cancel'(channel, { consumerTag, nowait }) {
    const consumer = channel.consumers.get(consumerTag);
    if (consumer) channel.cancel(consumer);
    else channel.cancelReplies(consumerTag);
    if (!nowait) channel.send('basic.cancel-ok', { consumerTag });
  },

  'basic.publish'(channel, args) {
    channel.content.begin(args);
  },

  'basic.get'(channel, { queue: name, noAck }) {
    const queue = channel.queue(name);
    const entry = queue.take();
    if (!entry) {
      channel.send('basic.get-empty', { reserved1: '' });
      return;
    }
    const deliveryTag = channel.deliveries.add(queue, entry, noAck);
    const { message, redelivered } = entry;
    const { exchange, routingKey } = message;
    const messageCount = queue.ready.length;
    channel.send('basic.get-ok', { deliveryTag, redelivered, exchange, routingKey, messageCount }, message);
  },

  'basic.ack'(channel, { deliveryTag, multiple }) {
    channel.deliveries.settle(deliveryTag, multiple);
    channel.resume();
  },

  'basic.nack'(channel, { deliveryTag, multiple, requeue }) {
    reject(channel, deliveryTag, multiple, requeue);
  },

  'basic.reject'(channel, { deliveryTag, requeue }) {
    reject(channel, deliveryTag, false, requeue);
  },

  'basic.recover'(channel, { requeue }) {
    recover(channel, requeue);
    channel.send('basic.recover-ok', {});
  },

  'basic.recover-async'(channel, { requeue }) {
    recover(channel, requeue);
  },
};

function reject(channel: Channel, tag: number, multiple: boolean, requeue: boolean): void {
  if (requeue) channel.deliveries.requeue(tag, multiple);
  else channel.deliveries.reject(tag, multiple);
  channel.resume();
}

/** Returns every unacknowledged message to its queue. */
function recover(channel: Channel, requeue: boolean): void {
  if (!requeue) throw new AmqpError('NOT_IMPLEMENTED', 'requeue=false');
  channel.deliveries.requeue(0, true);
  channel.resume();
}
