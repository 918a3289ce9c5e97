import { Duplex } from 'node:stream';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { Log } from '../log';
import { within } from '../within';
import { BrokerError, explainAlarm, explainBrokerError } from './broker-error';
import { createSleepDetector } from './sleep-detector';

const HEARTBEAT_SECONDS = 20;
const FAREWELL_TIMEOUT_MS = 2_000;

export interface BrokerConnection {
  model: ChannelModel;
  channel: ConfirmChannel;
  /** The alarm because of which the broker reads nothing that we send, until it says `connection.unblocked`. */
  blocked: BrokerError | null;
  /** Why it is at its end. */
  closed: BrokerError | null;
  /** By `returnKey`, why the broker could not route a message: from `basic.return` until its confirm arrives. */
  returned: Map<string, string>;
}

/**
 * The one connection of a container, opened at its first use and kept while the container lives. Nothing here
 * retries: whoever asks next after a failure opens a new one.
 */
export interface Broker {
  /**
   * A connection with a channel in confirm mode.
   * @param timeoutMs for the socket and the handshake
   * @throws BrokerError
   */
  open(timeoutMs: number): Promise<BrokerConnection>;
  /** Drops the connection without a farewell: for one whose state nobody knows any more. */
  discard(): void;
  /** With a farewell, for whose answer it waits a little: the broker may be gone, or silent. */
  close(): Promise<void>;
}

/** @param name shown in the broker's list of connections */
export function createBroker(url: string, name: string, log: Log): Broker {
  let current: Promise<BrokerConnection> | undefined;
  let live: BrokerConnection | undefined;
  const hasSlept = createSleepDetector(HEARTBEAT_SECONDS * 1000);

  function discard(): void {
    if (live) destroy(live);
    live = undefined;
    current = undefined;
  }

  async function open(timeoutMs: number): Promise<BrokerConnection> {
    if (live && (live.closed || hasSlept())) discard();
    if (!current) {
      const opening = openConnection(url, name, timeoutMs, log);
      current = opening;
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
    live = undefined;
    current = undefined;
    if (!connection || connection.closed) return;
    // An answer that went down with the connection would never come: amqplib waits for ever then.
    const farewell = connection.model.close().catch(() => {});
    await within(FAREWELL_TIMEOUT_MS, farewell, undefined);
    destroy(connection);
  }

  return { open, discard, close };
}

/** One event can be on its way to several places at once. */
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
  let trouble = new BrokerError('The broker connection was closed', 'closed');
  // Whoever uses the connection says what that means. One that nobody uses is replaced, and no line is worth it.
  const note = (error: unknown) => {
    if (error === DISCARDED) return;
    trouble = explainBrokerError(error);
    log.debug('The broker ended a connection or a channel', { error });
  };
  // From birth: an 'error' event that nobody listens to ends the process.
  model.on('error', note);
  const channel = await model.createConfirmChannel();
  const connection: BrokerConnection = {
    model,
    channel,
    blocked: null,
    closed: null,
    returned: new Map(),
  };
  channel.on('error', note);
  channel.on('return', (message) => {
    const replyText = 'replyText' in message.fields ? String(message.fields.replyText) : 'unroutable';
    const { exchange, routingKey } = message.fields;
    connection.returned.set(returnKey(String(message.properties.messageId), exchange, routingKey), replyText);
  });
  const markClosed = () => {
    connection.closed ??= trouble;
  };
  // Before amqplib's own listener, which fails the outstanding confirms: whoever hears of that has to see that it
  // was the connection and not the broker's verdict on the message.
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

/** amqplib offers a graceful close only, and that one waits for an answer that a silent broker never sends. */
function destroy(connection: BrokerConnection): void {
  connection.closed ??= new BrokerError('The broker connection was given up', 'discarded');
  const stream = 'stream' in connection.model.connection ? connection.model.connection.stream : undefined;
  if (stream instanceof Duplex) stream.destroy(DISCARDED);
}

function withHeartbeat(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
  return parsed.toString();
}
