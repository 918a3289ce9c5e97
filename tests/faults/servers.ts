import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { startPostgres } from '../../local/postgres';
import { signalPostgres } from './postgres-processes';
import { createRabbitNode, type RabbitNode } from './rabbitmq';

export interface Servers {
  rabbit: RabbitNode;
  postgres: {
    url: string;
    restart(): Promise<void>;
    /** To all of its processes: frozen, it keeps its connections and answers none, and accepts more. */
    signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  };
  stop(): Promise<void>;
}

/** Real servers that are nobody else's: a RabbitMQ node, and a PostgreSQL with its defaults. */
export async function startServers(directory: string): Promise<Servers> {
  const rabbit = await createRabbitNode(join(directory, 'rabbitmq'));
  const port = await freePort();
  const dataDir = join(directory, 'postgres');
  await mkdir(directory, { recursive: true });
  let [server] = await Promise.all([startPostgres(dataDir, port), rabbit.start()]);
  return {
    rabbit,
    postgres: {
      url: server.url,
      restart: async () => {
        await server.stop();
        server = await startPostgres(dataDir, port);
      },
      signal: (signal) => signalPostgres(dataDir, signal),
    },
    stop: async () => {
      await rabbit.stop();
      // Interrupted while it was frozen, it would not hear that it is to stop.
      signalPostgres(dataDir, 'SIGCONT');
      await server.stop();
    },
  };
}
