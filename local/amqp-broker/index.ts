/*
 * An AMQP 0-9-1 broker for development and tests. Three folders, of which `wire/` and `storage/` import `model/`, and
 * `model/` imports neither; this file and `turn.ts` connect them.
 *
 *   wire/     what clients see: connections, channels, and what each method does
 *   model/    virtual hosts, exchanges, queues and messages; they call back through interfaces that they own
 *   storage/  the journal, which durable state is restored from
 *
 * How a frame travels, with a persistent `basic.publish` as the example:
 *
 *   socket    wire/connection.ts receives bytes, and wire/codec/frames.ts cuts them into frames
 *   channel   wire/channel/channel-set.ts finds the channel; wire/codec/method-codec.ts decodes its method frames,
 *             wire/channel/content.ts joins the header and body frames that follow a publish
 *   method    wire/channel/*-methods.ts serve the method; a complete message goes to wire/channel/publish.ts
 *   vhost     model/vhost.ts routes it from its exchange to queues; model/queue.ts appends it and reports the change
 *   journal   storage/store.ts records the change. Only turn.ts, at the end of the turn of the event loop, writes it
 *   delivery  model/queue.ts picks a consumer (wire/channel/consumer.ts), whose channel sends a `basic.deliver`
 *   socket    wire/output.ts gathers what is sent: turn.ts has it written once the journal is
 */
import { createServer, type Server, type Socket } from 'node:net';
import { AmqpError } from './model/values/errors';
import { VirtualHost } from './model/vhost';
import { Store } from './storage/store';
import { Turn } from './turn';
import { Alarms, type Resource } from './wire/alarms';
import { Connection, type ConnectionContext } from './wire/connection';

export interface BrokerOptions {
  /** Address to listen on, or several; 127.0.0.1 by default. */
  host?: string | readonly string[];
  /** 0 picks a free one. */
  port: number;
  /** Directory of the journal; without one nothing outlives the broker. */
  dataDir?: string;
  /** guest / guest by default, as with RabbitMQ. */
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
   * Raises a resource alarm: until it is cleared, a connection that publishes gets `connection.blocked`, and nothing
   * more is read from it (https://www.rabbitmq.com/docs/connection-blocked).
   */
  raiseAlarm(resource: Resource): void;
  /** Clears one that `raiseAlarm` raised. A journal that cannot be written keeps its own. */
  clearAlarm(resource: Resource): void;
  /** Closes every connection and the journal; durable state stays as it is. */
  stop(): Promise<void>;
}

/** Starts an AMQP 0-9-1 broker for development and tests. Rejects with `code: 'EADDRINUSE'` on a taken port. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host = '127.0.0.1', username = 'guest', password = 'guest', log = () => undefined } = options;
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
  const names = options.vhosts ?? ['/'];
  for (const name of names) vhost(name);

  const context: ConnectionContext = {
    vhosts,
    username,
    password,
    alarms,
    requestFlush: (connection) => turn.request(connection),
    log,
    serving: false,
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

  const servers: Server[] = [];
  let port = options.port;
  try {
    // The port first: a second start on it must fail before it touches the data.
    for (const address of typeof host === 'string' ? [host] : host) {
      const server = createServer(accept);
      servers.push(server);
      port = await listen(server, address, port);
      server.on('error', (error) => log(`listening on ${address}: ${error.message}`));
    }
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
    await Promise.all(servers.map(close));
    throw error;
  }
  context.serving = true;
  // What expired while the broker was down goes its way now.
  for (const { queues } of vhosts.values()) for (const queue of [...queues.values()]) queue.dispatch();

  const [first = '/'] = names;
  const path = first === '/' ? '' : `/${encodeURIComponent(first)}`;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  const [address] = typeof host === 'string' ? [host] : host;
  const urlHost = address?.includes(':') ? `[${address}]` : address;
  let stopping: Promise<void> | undefined;

  async function stop(): Promise<void> {
    context.serving = false;
    for (const { queues } of vhosts.values()) for (const queue of queues.values()) queue.stop();
    const shutdown = "broker forced connection closure with reason 'shutdown'";
    const gone = servers.map(close);
    for (const connection of connections.values())
      connection.close(new AmqpError('CONNECTION_FORCED', shutdown));
    turn.end();
    await Promise.all(gone);
    turn.end();
    store?.close();
  }

  return {
    port,
    raiseAlarm: (resource) => alarms.raise(resource, 'operator'),
    clearAlarm: (resource) => alarms.clear(resource, 'operator'),
    url: `amqp://${login}@${urlHost}:${port}${path}`,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

/** Resolves once the server and all its connections are closed. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
