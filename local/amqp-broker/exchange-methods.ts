import type { Handlers } from './channel-methods';
import { AmqpError } from './errors';
import type { Exchange } from './exchange';
import type { FieldTable } from './fields';
import type { VirtualHost } from './vhost';

export const exchangeMethods: Handlers = {
  'exchange.declare'(
    channel,
    { exchange, type, passive, durable, autoDelete, internal, nowait, arguments: args },
  ) {
    const { vhost } = channel;
    refuseDefault(exchange);
    if (passive) vhost.exchange(exchange);
    else {
      if (exchange.startsWith('amq.') && !vhost.exchanges.has(exchange)) {
        throw new AmqpError('ACCESS_REFUSED', `exchange name '${exchange}' contains reserved prefix 'amq.*'`);
      }
      vhost.declareExchange(exchange, type, durable, autoDelete, internal, args);
    }
    if (!nowait) channel.send('exchange.declare-ok', {});
  },

  'exchange.delete'(channel, { exchange: name, ifUnused, nowait }) {
    const { vhost } = channel;
    refuseDefault(name);
    if (name.startsWith('amq.')) {
      const what = vhost.describe('exchange', name);
      throw new AmqpError('ACCESS_REFUSED', `deletion of system ${what} not allowed`);
    }
    // RabbitMQ answers the deletion of what is not there as done.
    const exchange = vhost.exchanges.get(name);
    if (exchange && ifUnused && exchange.bindings.length > 0) {
      throw new AmqpError('PRECONDITION_FAILED', `${vhost.describe('exchange', name)} in use`);
    }
    if (exchange) vhost.deleteExchange(exchange);
    if (!nowait) channel.send('exchange.delete-ok', {});
  },

  'exchange.bind'(channel, { destination, source, routingKey, nowait, arguments: args }) {
    checkMatch(args);
    const ends = exchanges(channel.vhost, source, destination);
    channel.vhost.bind(ends.source, { destination: ends.destination, routingKey, args });
    if (!nowait) channel.send('exchange.bind-ok', {});
  },

  'exchange.unbind'(channel, { destination, source, routingKey, nowait, arguments: args }) {
    const ends = exchanges(channel.vhost, source, destination);
    channel.vhost.unbind(ends.source, { destination: ends.destination, routingKey, args });
    if (!nowait) channel.send('exchange.unbind-ok', {});
  },
};

function exchanges(
  vhost: VirtualHost,
  source: string,
  destination: string,
): { source: Exchange; destination: Exchange } {
  refuseDefault(source);
  refuseDefault(destination);
  return { source: vhost.exchange(source), destination: vhost.exchange(destination) };
}

/** The default exchange is bound to every queue by its name, and not to be touched (section 3.1.3.1). */
export function refuseDefault(exchange: string): void {
  if (exchange === '') {
    throw new AmqpError('ACCESS_REFUSED', 'operation not permitted on the default exchange');
  }
}

/** Refuses a binding for a headers exchange that says neither all nor any. */
export function checkMatch(args: FieldTable): void {
  const match = args.get('x-match');
  if (!match || ['all', 'any', 'all-with-x', 'any-with-x'].includes(String(match.value))) return;
  const expected = 'expected all, any, all-with-x, or any-with-x';
  const value = `<<"${String(match.value)}">>`;
  throw new AmqpError('PRECONDITION_FAILED', `Invalid x-match field value ${value}; ${expected}`);
}
