import { AmqpError } from '../../model/values/errors';
import type { Handlers } from '../codec/methods';
import type { Channel } from './channel';

export const exchangeMethods: Handlers<Channel> = {
  'exchange.declare'(
    channel,
    { exchange: wanted, type, passive, durable, autoDelete, internal, nowait, arguments: args },
  ) {
    const { vhost } = channel;
    const exchange = withoutLineBreaks(wanted);
    refuseDefault(exchange);
    if (passive) vhost.exchange(exchange);
    else {
      if (exchange.startsWith('amq.') && !vhost.exchanges.has(exchange)) {
        throw new AmqpError('ACCESS_REFUSED', `exchange name '${exchange}' contains reserved prefix 'amq.*'`);
      }
      vhost.declareExchange({ name: exchange, type, durable, autoDelete, internal, args });
    }
    if (!nowait) channel.send('exchange.declare-ok', {});
  },

  'exchange.delete'(channel, { exchange: wanted, ifUnused, nowait }) {
    const { vhost } = channel;
    const name = withoutLineBreaks(wanted);
    refuseDefault(name);
    if (name.startsWith('amq.')) {
      const what = vhost.describe('exchange', name);
      throw new AmqpError('ACCESS_REFUSED', `deletion of system ${what} not allowed`);
    }
    // Like RabbitMQ, answers as if an exchange that does not exist had been deleted.
    const exchange = vhost.exchanges.get(name);
    if (exchange && ifUnused && exchange.bindings.length > 0) {
      throw new AmqpError('PRECONDITION_FAILED', `${vhost.describe('exchange', name)} in use`);
    }
    if (exchange) vhost.deleteExchange(exchange);
    if (!nowait) channel.send('exchange.delete-ok', {});
  },

  'exchange.bind'(channel, { destination, source, routingKey, nowait, arguments: args }) {
    const { vhost } = channel;
    const ends = exchangeNames(source, destination);
    const from = vhost.exchange(ends.source);
    vhost.bind(from, { destination: vhost.exchange(ends.destination), routingKey, args });
    if (!nowait) channel.send('exchange.bind-ok', {});
  },

  'exchange.unbind'(channel, { destination, source, routingKey, nowait, arguments: args }) {
    const { exchanges } = channel.vhost;
    const ends = exchangeNames(source, destination);
    const from = exchanges.get(ends.source);
    const to = exchanges.get(ends.destination);
    // Like RabbitMQ, answers as if a binding that does not exist had been removed.
    if (from && to) channel.vhost.unbind(from, { destination: to, routingKey, args });
    if (!nowait) channel.send('exchange.unbind-ok', {});
  },
};

/** The names of two exchanges to bind or unbind; neither may be the default exchange. */
function exchangeNames(source: string, destination: string): { source: string; destination: string } {
  const ends = { source: withoutLineBreaks(source), destination: withoutLineBreaks(destination) };
  refuseDefault(ends.source);
  refuseDefault(ends.destination);
  return ends;
}

/** The default exchange is bound to every queue by its name, and cannot be changed (section 3.1.3.1). */
export function refuseDefault(exchange: string): void {
  if (exchange === '') {
    throw new AmqpError('ACCESS_REFUSED', 'operation not permitted on the default exchange');
  }
}

/** RabbitMQ removes line breaks from the names in declarations, bindings and deletions. */
export function withoutLineBreaks(name: string): string {
  return name.replace(/[\r\n]/g, '');
}
