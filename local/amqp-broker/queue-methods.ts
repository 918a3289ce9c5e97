import { randomBytes } from 'node:crypto';
import type { Handlers } from './channel-methods';
import { AmqpError } from './errors';
import { checkMatch, refuseDefault } from './exchange-methods';

export const queueMethods: Handlers = {
  'queue.declare'(
    channel,
    { queue: wanted, passive, durable, exclusive, autoDelete, nowait, arguments: args },
  ) {
    const { vhost, connection } = channel;
    if (!passive && wanted.startsWith('amq.') && !vhost.queues.has(wanted)) {
      throw new AmqpError('ACCESS_REFUSED', `queue name '${wanted}' contains reserved prefix 'amq.*'`);
    }
    const name = wanted === '' && !passive ? `amq.gen-${randomBytes(16).toString('base64url')}` : wanted;
    const owner = exclusive ? connection : undefined;
    const queue = passive
      ? vhost.queue(name, connection)
      : vhost.declareQueue({ name, durable, autoDelete, owner, args });
    queue.touch();
    channel.lastQueue = queue.name;
    if (nowait) return;
    channel.send('queue.declare-ok', {
      queue: queue.name,
      messageCount: queue.ready.length,
      consumerCount: queue.consumers.length,
    });
  },

  'queue.bind'(channel, { queue: name, exchange, routingKey, nowait, arguments: args }) {
    refuseDefault(exchange);
    checkMatch(args);
    const queue = channel.queue(name);
    // Naming neither queue nor key means the last queue for both (queue.bind, section 1.7.2.3).
    const key = name === '' && routingKey === '' ? queue.name : routingKey;
    channel.vhost.bind(channel.vhost.exchange(exchange), { destination: queue, routingKey: key, args });
    if (!nowait) channel.send('queue.bind-ok', {});
  },

  'queue.unbind'(channel, { queue: name, exchange, routingKey, arguments: args }) {
    refuseDefault(exchange);
    const queueName = channel.queueName(name);
    const key = name === '' && routingKey === '' ? queueName : routingKey;
    const source = channel.vhost.exchanges.get(exchange);
    // RabbitMQ answers the removal of what is not there as done.
    if (source && channel.vhost.queues.has(queueName)) {
      channel.vhost.unbind(source, { destination: channel.queue(name), routingKey: key, args });
    }
    channel.send('queue.unbind-ok', {});
  },

  'queue.purge'(channel, { queue, nowait }) {
    const messageCount = channel.queue(queue).purge();
    if (!nowait) channel.send('queue.purge-ok', { messageCount });
  },

  'queue.delete'(channel, { queue: name, ifUnused, ifEmpty, nowait }) {
    const { vhost } = channel;
    // RabbitMQ answers the deletion of what is not there as done.
    const exists = vhost.queues.has(channel.queueName(name));
    const queue = exists ? channel.queue(name) : undefined;
    const messageCount = queue?.ready.length ?? 0;
    if (queue) {
      const what = vhost.describe('queue', queue.name);
      if (ifUnused && queue.consumers.length > 0)
        throw new AmqpError('PRECONDITION_FAILED', `${what} in use`);
      if (ifEmpty && messageCount > 0) throw new AmqpError('PRECONDITION_FAILED', `${what} not empty`);
      vhost.deleteQueue(queue);
    }
    if (!nowait) channel.send('queue.delete-ok', { messageCount });
  },
};
