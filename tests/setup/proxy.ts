import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a server, for faults on the wire that are real to both ends. */
export interface TcpProxy {
  url: string;
  /** Cuts every connection and refuses new ones. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
  /** From now on takes connections and bytes, and lets none through: no answer, no error. */
  blackHole(): void;
  /**
   * From now on the connections that are there pass nothing on, as when a path has changed. New ones work.
   * @returns ends the old ones at last, for the server too, as its TCP would
   */
  silence(): () => void;
  /** Lets the client's bytes through and none of the server's: a confirm, or a commit, whose answer never arrives. */
  muteServer(): void;
  /** Lets the server's bytes through and none of the client's: an acknowledgement that never arrives. */
  muteClient(): void;
  /** Like `muteServer`, from the moment on at which a client sends this. */
  muteServerAt(text: string): void;
  /** Cuts every connection when a client sends this, before the server has it. */
  cutAt(text: string): void;
  /** From now on everything takes this much longer, both ways. */
  delay(ms: number): void;
  /** How many times a client has sent something after an answer, but for the check of an idle connection to PostgreSQL. */
  roundTrips(): number;
  /** Ends all of those, by cutting the connections that went through them. */
  heal(): void;
}

export async function startProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  let mode: 'open' | 'black-hole' | 'mute-server' | 'mute-client' = 'open';
  let muteAt: string | undefined;
  let cutAt: string | undefined;
  let delayMs = 0;
  let roundTrips = 0;
  const pass = (to: Socket, bytes: Buffer) => {
    if (delayMs === 0) to.write(bytes);
    else setTimeout(() => to.write(bytes), delayMs);
  };

  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        // The other end hears nothing of it, and keeps what the connection holds.
        if (silent.has(client)) return;
        const other = socket === client ? server : client;
        // After the bytes that are on their way.
        if (delayMs === 0) other.destroy();
        else setTimeout(() => other.destroy(), delayMs);
      });
    }
    let isAnswered = true;
    client.on('data', (bytes) => {
      if (isAnswered && !bytes.includes('select 1\0')) roundTrips += 1;
      isAnswered = false;
      if (cutAt !== undefined && bytes.includes(cutAt)) return cut();
      if (muteAt !== undefined && bytes.includes(muteAt)) mode = 'mute-server';
      const isHeard = mode === 'open' || mode === 'mute-server';
      if (isHeard && !silent.has(client)) pass(server, bytes);
    });
    server.on('data', (bytes) => {
      isAnswered = true;
      const isHeard = mode === 'open' || mode === 'mute-client';
      if (isHeard && !silent.has(client)) pass(client, bytes);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const ownPort = (listener.address() as AddressInfo).port;

  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(ownPort);
  return {
    url: url.toString(),
    stop: async () => {
      if (!listener.listening) return cut();
      const closed = once(listener, 'close');
      listener.close();
      cut();
      await closed;
    },
    start: async () => {
      listener.listen(ownPort, '127.0.0.1');
      await once(listener, 'listening');
    },
    blackHole: () => {
      mode = 'black-hole';
    },
    silence: () => {
      const old = [...sockets];
      for (const socket of old) silent.add(socket);
      return () => {
        for (const socket of old) socket.destroy();
      };
    },
    muteServer: () => {
      mode = 'mute-server';
    },
    muteClient: () => {
      mode = 'mute-client';
    },
    muteServerAt: (text) => {
      muteAt = text;
    },
    cutAt: (text) => {
      cutAt = text;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    roundTrips: () => roundTrips,
    heal: () => {
      mode = 'open';
      muteAt = undefined;
      cutAt = undefined;
      delayMs = 0;
      cut();
    },
  };
}
