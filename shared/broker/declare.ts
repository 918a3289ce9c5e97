import type { Channel, ChannelModel } from 'amqplib';
import type { Log } from '../log';
import { BrokerError, explainBrokerError } from './broker-error';

/** An exchange, a queue or a binding that has to be there. */
export interface Declaration {
  /** As a log line calls it. */
  what: string;
  declare(channel: Channel): Promise<unknown>;
  /** Fails where it is not there, and takes no permission. AMQP 0-9-1 has no such question about a binding. */
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
 * | the broker says                                    |                                                          |
 * | -------------------------------------------------- | -------------------------------------------------------- |
 * | an exchange exists with another type, or internal  | throws, when all else is declared: events would be       |
 * |                                                    | confirmed and reach nobody                               |
 * | it exists with other arguments                     | used as it is, and named in the log                      |
 * | we may not declare it                              | used as it is where it exists, else throws               |
 *
 * @throws BrokerError also for a limit that is reached and a connection that breaks
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
      // The broker has closed the channel over it.
      channel = await openChannel(model);
      if (isDenied(error)) {
        await assertExists(channel, declaration, error);
        assumed.push(declaration.what);
      } else if (isUsable(error)) {
        log.error(
          `The ${declaration.what} exists with other arguments and is used as it is. To have it right, delete it once it is empty, or choose other names with QUEUE_PREFIX or EVENT_EXCHANGE.`,
          { reason: error.message },
        );
      } else if (isOfOtherArguments(error)) wrong ??= explainWrong(declaration, error);
      else throw explainBrokerError(error);
    }
  }
  await channel.close();
  if (assumed.length > 0)
    log.info('Without the permission to declare, what exists on the broker is used as it is', { assumed });
  if (wrong) throw wrong;
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
    `The ${what} exists with another type, so events would not reach their queues and nothing is published: delete it, or choose other names with EVENT_EXCHANGE, QUEUE_PREFIX or EVENT_MIRRORS`,
    error.message,
  );
}

const DENIED = 403;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;
/** Of AMQP's methods. */
const EXCHANGE_CLASS = 40;

function isDenied(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === DENIED;
}

/** RabbitMQ's words and LavinMQ's. The same code also stands for limits: nothing exists then. */
function isOfOtherArguments(error: unknown): error is Error {
  return (
    error instanceof Error &&
    codeOf(error) === PRECONDITION_FAILED &&
    /inequivalent arg|other arguments/.test(error.message)
  );
}

/** Whether events get through nevertheless: whatever it is in a queue, and in an exchange what is not its type. */
function isUsable(error: unknown): error is Error {
  if (!isOfOtherArguments(error)) return false;
  const isExchange = 'classId' in error && error.classId === EXCHANGE_CLASS;
  return !isExchange || /inequivalent arg '(?!type'|internal')/.test(error.message);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function openChannel(model: Pick<ChannelModel, 'createChannel'>): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  return channel;
}
