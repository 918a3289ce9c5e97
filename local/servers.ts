import { join } from 'node:path';
import { startBroker } from './amqp-broker';
import { assertPortFree } from './ports';
import { startPostgres } from './postgres';
import type { LocalSettings } from './settings';

export interface LocalServers {
  /** What the functions need to find them: nothing for a server that the environment names already. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

interface Server {
  url: string;
  stop(): Promise<void>;
}

/** The embedded PostgreSQL and broker, each only where the environment names no other. */
export async function startServers(settings: LocalSettings): Promise<LocalServers> {
  const [postgres, broker] = await Promise.allSettled([
    settings.databaseUrl === undefined ? embeddedPostgres(settings) : null,
    settings.hasBroker ? null : embeddedBroker(settings),
  ]);
  const started = [postgres, broker].flatMap((result) =>
    result.status === 'fulfilled' && result.value ? [result.value] : [],
  );
  const stop = async () => void (await Promise.all(started.map((server) => server.stop())));
  if (postgres.status === 'rejected' || broker.status === 'rejected') {
    await stop();
    throw postgres.status === 'rejected' ? postgres.reason : broker.status === 'rejected' && broker.reason;
  }
  return {
    environment: {
      ...(postgres.value && { DATABASE_URL: postgres.value.url }),
      ...(broker.value && { RABBITMQ_URL: broker.value.url }),
    },
    stop,
  };
}

async function embeddedPostgres(settings: LocalSettings): Promise<Server> {
  const dataDir = join(settings.dataDir, 'postgres');
  return startPostgres(dataDir, settings.pgPort, () => assertPortFree('PG_PORT', settings.pgPort));
}

async function embeddedBroker(settings: LocalSettings): Promise<Server> {
  await assertPortFree('AMQP_PORT', settings.amqpPort);
  return startBroker({ port: settings.amqpPort, dataDir: join(settings.dataDir, 'amqp') });
}
