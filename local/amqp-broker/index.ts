/*
 * An AMQP 0-9-1 broker for development and tests. `wire/` and `storage/` import `model/`, which imports neither of them:
 * it calls them through interfaces that it owns. This file and `turn.ts` connect the three.
 *
 *   wire/     what clients see: sockets, frames, connections, channels, and what each method does
 *   model/    virtual hosts, exchanges, queues and messages, and the rules of RabbitMQ for them
 *   storage/  the journal, from which durable state is restored
 *
 * How a frame travels, with a persistent `basic.publish` as the example:
 *
 *   socket    wire/frame-socket.ts receives bytes
 *   frames    wire/codec/frames.ts cuts them into frames; wire/connection.ts serves those of channel 0 itself
 *   channel   wire/channel/channel-set.ts finds the channel. Methods are decoded by wire/codec/method-codec.ts; the
 *             header and body frames after a publish are joined to a message by wire/channel/content.ts
 *   method    wire/channel/*-methods.ts serve it; a complete message goes to wire/channel/publish.ts
 *   queue     model/vhost.ts routes the message to queues; model/queue.ts appends it, and reports it as a change
 *   journal   storage/store.ts records the change; turn.ts has it written at the end of this turn of the event loop
 *   delivery  model/queue.ts picks a consumer (wire/channel/consumer.ts), and its channel sends `basic.deliver`
 *   socket    wire/output.ts gathers what is sent, and turn.ts has it written after the journal
 */
import type { Socket } from 'node:net';
import { AmqpError } from './model/values/errors';
import { VirtualHost } from './model/vhost';
import { Store } from './storage/store';
import { Turn } from './turn';
import { Alarms, type Resource } from './wire/alarms';
import { Connection, type ConnectionContext } from './wire/connection';
import { listen } from './wire/listener';

export interface BrokerOptions {
  /** Address to listen on, or several; 127.0.0.1 by default. */
  host?: string | readonly string[];
  /** 0 picks a free port. */
  port: number;
  /** Directory of the journal; without it, nothing survives a restart. */
  dataDir?: string;
  /** 'guest' and 'guest' by default, as in RabbitMQ. */
  username?: string;
  password?: string;
  /** ['/'] by default. */
  vhosts?: readonly string[];
  log?: (line: string) => void;
}

export interface Broker {
  readonly port: number;
  /** amqp:// address with user, password and the first virtual host. */
  readonly url: string;
  /**
   * Raises a resource alarm: until it is cleared, a connection that publishes gets `connection.blocked`, and its
   * frames are not read (https://www.rabbitmq.com/docs/connection-blocked).
   */
  raiseAlarm(resource: Resource): void;
  /** Clears an alarm of `raiseAlarm`. That of a journal that cannot be written lasts until it can be. */
  clearAlarm(resource: Resource): void;
  /** Breaks every connection. Clients may connect again at once. */
  cutConnections(): void;
  /** While true, messages are taken and stored, but their publishers never learn it. */
  withholdConfirms(withhold: boolean): void;
  /** Closes every connection, then the journal. Durable state is kept. */
  stop(): Promise<void>;
}

/**
 * Starts the broker. Rejects with `code: 'EADDRINUSE'` if the port is taken, and with `code: 'EDATADIRINUSE'` if another
 * live broker uses the data directory.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host = '127.0.0.1', username = 'guest', password = 'guest', log = () => undefined } = options;
  const hosts = typeof host === 'string' ? [host] : host;
  const names = options.vhosts ?? ['/'];
  const vhosts = new Map<string, VirtualHost>();
  let store: Store | undefined;
  const turn = new Turn(() => store?.flush() ?? 'all');
  const connections = new Set<Connection>();
  const alarms = new Alarms(() => {
    for (const connection of connections) connection.unblock();
  });
  const vhost = (name: string): VirtualHost => {
    const existing = vhosts.get(name);
    if (existing) return existing;
    const created = new VirtualHost(name, (change) => store?.record(name, change));
    vhosts.set(name, created);
    return created;
  };
  for (const name of names) vhost(name);

  const context: ConnectionContext = {
    vhosts,
    username,
    password,
    alarms,
    requestFlush: (connection) => turn.request(connection),
    log,
    serving: false,
    withholdsConfirms: false,
  };
  const accept = (socket: Socket) => {
    if (!context.serving) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, context);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  };

  // The port first: a second start on it must fail before it touches the data.
  const listener = await listen(hosts, options.port, accept, log);
  try {
    if (options.dataDir !== undefined) {
      store = new Store(options.dataDir, {
        vhosts,
        vhost,
        onRecord: () => turn.request(),
        onFailure: () => alarms.raise('disk', 'journal'),
        onRecovery: () => {
          alarms.clear('disk', 'journal');
          turn.request();
        },
        log,
      });
      store.restore();
    }
  } catch (error) {
    store?.close();
    await listener.close();
    throw error;
  }
  context.serving = true;
  // Messages that expired while the broker was down are dead-lettered or dropped now.
  for (const { queues } of vhosts.values()) for (const queue of [...queues.values()]) queue.dispatch();

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    context.serving = false;
    for (const { queues } of vhosts.values()) for (const queue of queues.values()) queue.stop();
    const closed = listener.close();
    const reason = "broker forced connection closure with reason 'shutdown'";
    for (const connection of connections) connection.close(new AmqpError('CONNECTION_FORCED', reason));
    turn.end();
    await closed;
    turn.end();
    store?.close();
  }

  return {
    port: listener.port,
    url: brokerUrl(hosts, listener.port, username, password, names),
    raiseAlarm: (resource) => alarms.raise(resource, 'operator'),
    clearAlarm: (resource) => alarms.clear(resource, 'operator'),
    cutConnections: () => {
      for (const connection of connections) connection.cut();
    },
    withholdConfirms: (withhold) => {
      context.withholdsConfirms = withhold;
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function brokerUrl(
  [host = '']: readonly string[],
  port: number,
  username: string,
  password: string,
  [vhost = '/']: readonly string[],
): string {
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const path = vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`;
  return `amqp://${login}@${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}
