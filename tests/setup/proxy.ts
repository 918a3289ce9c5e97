import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of the broker, for faults on the wire that are real to both ends. */
export interface TcpProxy {
  url: string;
  /** Cuts every connection and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** From now on takes connections and bytes, and lets none through: no answer, no error. */
  blackHole(): void;
  /** Lets the client's bytes through and none of the broker's: a confirm that never arrives. */
  muteBroker(): void;
  /** From now on everything takes this much longer, both ways. */
  delay(ms: number): void;
  /** Ends all of those, by cutting the connections that went through them. */
  heal(): void;
}

export async function startProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: 'open' | 'black-hole' | 'mute-broker' = 'open';
  let delayMs = 0;
  const pass = (to: Socket, bytes: Buffer) => {
    if (delayMs === 0) to.write(bytes);
    else setTimeout(() => to.write(bytes), delayMs);
  };

  const server = createServer((client) => {
    const broker = connect(Number(port), hostname);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        const other = socket === client ? broker : client;
        // After the bytes that are on their way.
        if (delayMs === 0) other.destroy();
        else setTimeout(() => other.destroy(), delayMs);
      });
    }
    client.on('data', (bytes) => void (mode !== 'black-hole' && pass(broker, bytes)));
    broker.on('data', (bytes) => void (mode === 'open' && pass(client, bytes)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ownPort = (server.address() as AddressInfo).port;

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(ownPort);
  return {
    url: url.toString(),
    stop: async () => {
      if (!server.listening) return cut();
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
    start: async () => {
      server.listen(ownPort, '127.0.0.1');
      await once(server, 'listening');
    },
    blackHole: () => {
      mode = 'black-hole';
    },
    muteBroker: () => {
      mode = 'mute-broker';
    },
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      mode = 'open';
      delayMs = 0;
      cut();
    },
  };
}
