import type { Channel, ChannelModel } from 'amqplib';
import type { Log } from '../log';
import { BrokerError, explainBrokerError } from './broker-error';

/** An exchange, a queue or a binding to declare. */
export interface Declaration {
  /** Its name in log messages. */
  what: string;
  declare(channel: Channel): Promise<unknown>;
  /** Fails if it does not exist; needs no permission. AMQP 0-9-1 has no such check for bindings. */
  check?(channel: Channel): Promise<unknown>;
}

export function exchange(name: string, type: string): Declaration {
  return {
    what: `exchange ${name}`,
    declare: (channel) => channel.assertExchange(name, type),
    check: (channel) => channel.checkExchange(name),
  };
}

export function queue(name: string, args: Record<string, unknown>): Declaration {
  return {
    what: `queue ${name}`,
    declare: (channel) => channel.assertQueue(name, { arguments: args }),
    check: (channel) => channel.checkQueue(name),
  };
}

export function binding(queueName: string, exchangeName: string, pattern: string): Declaration {
  return {
    what: `binding of ${queueName} to ${exchangeName}`,
    declare: (channel) => channel.bindQueue(queueName, exchangeName, pattern),
  };
}

/**
 * Declares one after the other.
 *
 * | the broker's reply                                | result                                                     |
 * | ------------------------------------------------- | ---------------------------------------------------------- |
 * | an exchange exists with another type, or internal | throws after declaring the rest: events would be confirmed |
 * |                                                   | without reaching a queue                                   |
 * | exists with other arguments                       | uses it as it is and logs an error                         |
 * | permission denied                                 | uses it as it is if it exists, otherwise throws            |
 *
 * @throws BrokerError also for reached limits and a broken connection
 */
export async function declareEach(
  model: Pick<ChannelModel, 'createChannel'>,
  declarations: Iterable<Declaration>,
  log: Log,
): Promise<void> {
  let channel = await openChannel(model);
  const assumed: string[] = [];
  let wrong: BrokerError | undefined;
  for (const declaration of declarations) {
    try {
      await declaration.declare(channel);
    } catch (error) {
      // The error has closed the channel.
      channel = await openChannel(model);
      if (isDenied(error)) {
        await assertExists(channel, declaration, error);
        assumed.push(declaration.what);
      } else if (isUsable(error)) {
        log.error(
          `The ${declaration.what} exists with other arguments and is used as it is. To correct it, delete it once it is empty, or choose other names with QUEUE_PREFIX or EVENT_EXCHANGE.`,
          { reason: error.message },
        );
      } else if (isOfOtherArguments(error)) wrong ??= explainWrong(declaration, error);
      else throw explainBrokerError(error);
    }
  }
  closeChannel(channel);
  if (assumed.length > 0)
    log.info('No permission to declare: existing exchanges and queues are used as they are', { assumed });
  if (wrong) throw wrong;
}

/** @throws BrokerError */
export async function exchangeExists(
  model: Pick<ChannelModel, 'createChannel'>,
  name: string,
): Promise<boolean> {
  const channel = await openChannel(model);
  try {
    await channel.checkExchange(name);
  } catch (error) {
    // The error has closed the channel.
    if (codeOf(error) === NOT_FOUND) return false;
    throw explainBrokerError(error);
  }
  closeChannel(channel);
  return true;
}

async function assertExists(channel: Channel, declaration: Declaration, denied: Error): Promise<void> {
  await declaration.check?.(channel).catch((error: unknown) => {
    if (codeOf(error) !== NOT_FOUND) throw explainBrokerError(error);
    const { message, reason } = explainBrokerError(denied);
    throw new BrokerError(`The ${declaration.what} does not exist. ${message}`, reason);
  });
}

function explainWrong({ what }: Declaration, error: Error): BrokerError {
  return new BrokerError(
    `The ${what} exists with another type, so nothing is published because events would not reach their queues: delete it, or choose other names with EVENT_EXCHANGE, QUEUE_PREFIX or EVENT_MIRRORS`,
    error.message,
  );
}

const DENIED = 403;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;
/** The class of AMQP's exchange methods. */
const EXCHANGE_CLASS = 40;

function isDenied(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === DENIED;
}

/** Matches the messages of RabbitMQ and LavinMQ. The same code is also used for reached limits. */
function isOfOtherArguments(error: unknown): error is Error {
  return (
    error instanceof Error &&
    codeOf(error) === PRECONDITION_FAILED &&
    /inequivalent arg|other arguments/.test(error.message)
  );
}

/** Whether events still reach their queues: with any difference of a queue, or of an exchange except its type. */
function isUsable(error: unknown): error is Error {
  if (!isOfOtherArguments(error)) return false;
  const isExchange = 'classId' in error && error.classId === EXCHANGE_CLASS;
  return !isExchange || /inequivalent arg '(?!type'|internal')/.test(error.message);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Without waiting: nothing depends on it, and if the connection breaks meanwhile, amqplib's promise is never settled. */
function closeChannel(channel: Channel): void {
  channel.close().catch(() => {});
}

async function openChannel(model: Pick<ChannelModel, 'createChannel'>): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  return channel;
}
