import { AmqpError } from '../../model/values/errors';
import type { Handlers, Method } from '../codec/methods';
import { basicMethods } from './basic-methods';
import type { Channel } from './channel';
import { exchangeMethods } from './exchange-methods';
import { queueMethods } from './queue-methods';

/** The methods that the broker serves on an open channel. */
const handlers: Handlers<Channel> = {
  ...exchangeMethods,
  ...queueMethods,
  ...basicMethods,

  'channel.open'() {
    throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
  },

  'channel.flow'(channel, { active }) {
    // Like RabbitMQ, which does not support stopping the flow either.
    if (!active) throw new AmqpError('NOT_IMPLEMENTED', 'active=false');
    channel.send('channel.flow-ok', { active });
  },

  'confirm.select'(channel, { nowait }) {
    channel.selectConfirms();
    if (!nowait) channel.send('confirm.select-ok', {});
  },

  // Deprecated since AMQP 0-9, but some clients still send it.
  'access.request'(channel) {
    channel.send('access.request-ok', { ticket: 1 });
  },

  'tx.select': refuseTransactions,
  'tx.commit': refuseTransactions,
  'tx.rollback': refuseTransactions,
};

function refuseTransactions(): never {
  throw new AmqpError('NOT_IMPLEMENTED', 'this broker has no transactions');
}

/** Serves a method on a channel. */
export function handleMethod(channel: Channel, method: Method): void {
  channel.content.refuseMethod();
  const handler = handlers[method.name] as ((channel: Channel, args: Method['args']) => void) | undefined;
  if (!handler) throw new AmqpError('COMMAND_INVALID', 'unimplemented method');
  handler(channel, method.args);
}
