import { randomBytes } from 'node:crypto';
import { AmqpError } from '../../model/values/errors';
import type { Handlers } from '../codec/methods';
import type { Channel } from './channel';
import { refuseDefault, withoutLineBreaks } from './exchange-methods';

export const queueMethods: Handlers<Channel> = {
  'queue.declare'(
    channel,
    { queue: given, passive, durable, exclusive, autoDelete, nowait, arguments: args },
  ) {
    const { vhost, connection } = channel;
    const wanted = withoutLineBreaks(given);
    if (vhost.replies.knows(wanted)) {
      if (!nowait) channel.send('queue.declare-ok', { queue: wanted, messageCount: 0, consumerCount: 1 });
      return;
    }
    if (vhost.replies.isReserved(wanted)) vhost.queue(wanted, connection);
    if (!passive && wanted.startsWith('amq.') && !vhost.queues.has(wanted)) {
      throw new AmqpError('ACCESS_REFUSED', `queue name '${wanted}' contains reserved prefix 'amq.*'`);
    }
    const name = wanted === '' && !passive ? `amq.gen-${randomBytes(16).toString('base64url')}` : wanted;
    const owner = exclusive ? connection : undefined;
    const queue = passive
      ? vhost.queue(name, connection)
      : // An exclusive queue ends with its connection, so RabbitMQ ignores `durable`.
        vhost.declareQueue({ name, durable: durable && !exclusive, autoDelete, owner, args });
    queue.touch();
    channel.lastQueue = queue.name;
    if (nowait) return;
    channel.send('queue.declare-ok', {
      queue: queue.name,
      messageCount: queue.ready.length,
      consumerCount: queue.consumers.count,
    });
  },

  'queue.bind'(channel, { queue: name, exchange: source, routingKey, nowait, arguments: args }) {
    const exchange = withoutLineBreaks(source);
    refuseDefault(exchange);
    const queue = channel.queue(withoutLineBreaks(name));
    // Without a queue and a key, both are the last queue's name (queue.bind, section 1.7.2.3).
    const key = name === '' && routingKey === '' ? queue.name : routingKey;
    channel.vhost.bind(channel.vhost.exchange(exchange), { destination: queue, routingKey: key, args });
    if (!nowait) channel.send('queue.bind-ok', {});
  },

  'queue.unbind'(channel, { queue: name, exchange: source, routingKey, arguments: args }) {
    const { vhost, connection } = channel;
    const exchange = withoutLineBreaks(source);
    refuseDefault(exchange);
    const queueName = channel.queueName(withoutLineBreaks(name));
    const key = name === '' && routingKey === '' ? queueName : routingKey;
    const from = vhost.exchanges.get(exchange);
    const destination = vhost.queues.get(queueName);
    const binding = destination && { destination, routingKey: key, args };
    // Like RabbitMQ, answers as if a binding that does not exist had been removed, whoever owns the queue.
    if (from && binding && from.has(binding)) {
      vhost.queue(queueName, connection);
      vhost.unbind(from, binding);
    }
    channel.send('queue.unbind-ok', {});
  },

  'queue.purge'(channel, { queue, nowait }) {
    const messageCount = channel.queue(queue).purge();
    if (!nowait) channel.send('queue.purge-ok', { messageCount });
  },

  'queue.delete'(channel, { queue: name, ifUnused, ifEmpty, nowait }) {
    const { vhost } = channel;
    // Like RabbitMQ, answers as if a queue that does not exist had been deleted.
    const queueName = channel.queueName(withoutLineBreaks(name));
    const queue = vhost.queues.has(queueName) ? channel.queue(queueName) : undefined;
    const messageCount = queue?.ready.length ?? 0;
    if (queue) {
      const what = vhost.describe('queue', queue.name);
      if (ifUnused && queue.consumers.count > 0) throw new AmqpError('PRECONDITION_FAILED', `${what} in use`);
      if (ifEmpty && messageCount > 0) throw new AmqpError('PRECONDITION_FAILED', `${what} not empty`);
      vhost.deleteQueue(queue);
    }
    if (!nowait) channel.send('queue.delete-ok', { messageCount });
  },
};
