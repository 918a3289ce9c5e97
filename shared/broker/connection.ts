import { Duplex } from 'node:stream';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { Log } from '../log';
import { within } from '../within';
import { BrokerError, explainAlarm, explainBrokerError } from './broker-error';
import { createSleepDetector, type SleepDetector } from './sleep-detector';

const HEARTBEAT_SECONDS = 20;
const CLOSE_TIMEOUT_MS = 2_000;

export interface BrokerConnection {
  model: ChannelModel;
  channel: ConfirmChannel;
  /** The resource alarm while the broker accepts no messages: from `connection.blocked` to `connection.unblocked`. */
  blocked: BrokerError | null;
  /** Why the connection was closed. */
  closed: BrokerError | null;
  /** Why the broker could not route a message, by `returnKey`: from its `basic.return` until its confirm. */
  returned: Map<string, string>;
}

/**
 * The single connection of a container, opened at its first use and then reused. Does not retry: after a failure, the next
 * `open` opens a new connection.
 */
export interface Broker {
  /**
   * A connection with a channel in confirm mode.
   * @param timeoutMs for the socket and the handshake
   * @throws BrokerError
   */
  open(timeoutMs: number): Promise<BrokerConnection>;
  /** Closes the socket without a handshake, if the state of the connection is unknown. */
  discard(): void;
  /** Closes gracefully: waits up to `CLOSE_TIMEOUT_MS` for `close-ok`, because the broker may be gone or silent. */
  close(): Promise<void>;
}

/** @param name shown in the broker's list of connections */
export function createBroker(url: string, name: string, log: Log): Broker {
  let current: Promise<BrokerConnection> | undefined;
  let live: BrokerConnection | undefined;
  let sleepDetector: SleepDetector | undefined;

  function forget(): void {
    live = undefined;
    current = undefined;
    // Its timer would keep this broker and all that it holds.
    sleepDetector?.stop();
    sleepDetector = undefined;
  }

  function discard(): void {
    if (live) destroy(live);
    forget();
  }

  async function open(timeoutMs: number): Promise<BrokerConnection> {
    if (live && (live.closed || sleepDetector?.hasSlept())) discard();
    if (!current) {
      const opening = openConnection(url, name, timeoutMs, log);
      current = opening;
      sleepDetector ??= createSleepDetector(HEARTBEAT_SECONDS * 1000);
      opening.then(
        (connection) => {
          if (current === opening) live = connection;
          else destroy(connection);
        },
        () => {
          if (current === opening) current = undefined;
        },
      );
    }
    return current;
  }

  async function close(): Promise<void> {
    const connection = live;
    forget();
    if (!connection || connection.closed) return;
    // If the connection breaks before `close-ok`, amqplib would wait forever.
    const closing = connection.model.close().catch(() => {});
    await within(CLOSE_TIMEOUT_MS, closing, undefined);
    destroy(connection);
  }

  return { open, discard, close };
}

/** Includes the destination, because an event can be in flight to several of them at once. */
export function returnKey(messageId: string, exchange: string, routingKey: string): string {
  return JSON.stringify([messageId, exchange, routingKey]);
}

async function openConnection(
  url: string,
  name: string,
  timeoutMs: number,
  log: Log,
): Promise<BrokerConnection> {
  const model = await connect(withHeartbeat(url), {
    timeout: timeoutMs,
    noDelay: true,
    keepAlive: true,
    clientProperties: { connection_name: name },
  }).catch((error: unknown) => {
    throw explainBrokerError(error);
  });
  let closeReason = new BrokerError('The broker connection was closed', 'closed');
  // Only logged for debugging: the users of the connection report the consequences, and an unused one is just replaced.
  const onError = (error: unknown) => {
    if (error === DISCARDED) return;
    closeReason = explainBrokerError(error);
    log.debug('The broker closed a connection or a channel', { error });
  };
  // First of all: an 'error' event without a listener ends the process.
  model.on('error', onError);
  const channel = await model.createConfirmChannel();
  const connection: BrokerConnection = {
    model,
    channel,
    blocked: null,
    closed: null,
    returned: new Map(),
  };
  channel.on('error', onError);
  channel.on('return', (message) => {
    const replyText = 'replyText' in message.fields ? String(message.fields.replyText) : 'unroutable';
    const { exchange, routingKey } = message.fields;
    connection.returned.set(returnKey(String(message.properties.messageId), exchange, routingKey), replyText);
  });
  const markClosed = () => {
    connection.closed ??= closeReason;
  };
  // Before amqplib's own listener, which fails the outstanding confirms: their callbacks must see that the connection was
  // closed, and not take it for a nack.
  channel.prependListener('close', markClosed);
  model.prependListener('close', markClosed);
  model.on('blocked', (reason) => {
    connection.blocked = explainAlarm(String(reason));
  });
  model.on('unblocked', () => {
    connection.blocked = null;
  });
  return connection;
}

const DISCARDED = new Error('The connection was discarded');

/** amqplib only offers a graceful close, which waits for a reply that a silent broker never sends. */
function destroy(connection: BrokerConnection): void {
  connection.closed ??= new BrokerError('The broker connection was discarded', 'discarded');
  const stream = 'stream' in connection.model.connection ? connection.model.connection.stream : undefined;
  if (stream instanceof Duplex) stream.destroy(DISCARDED);
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.toString();
}
