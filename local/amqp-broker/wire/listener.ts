import { createServer, type Server, type Socket } from 'node:net';

export interface Listener {
  readonly port: number;
  /** Stops accepting; resolves once every connection is closed. */
  close(): Promise<void>;
}

/**
 * Listens on each of the addresses; port 0 picks a free one, the same for all. Rejects with `code: 'EADDRINUSE'` if
 * the port is taken.
 */
export async function listen(
  addresses: readonly string[],
  port: number,
  accept: (socket: Socket) => void,
  log: (line: string) => void,
): Promise<Listener> {
  const servers: Server[] = [];
  const close = async () => {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  let bound = port;
  try {
    for (const address of addresses) {
      const server = createServer(accept);
      servers.push(server);
      bound = await bind(server, address, bound);
      server.on('error', (error) => log(`listening on ${address}: ${error.message}`));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port: bound, close };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeListener('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
