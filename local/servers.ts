import { join } from 'node:path';
import { type FaultyBroker, startFaultyBroker } from './broker-faults';
import { startMailbox } from './mailbox';
import { assertPortFree } from './ports';
import { postgresUrl, startPostgres } from './postgres';
import type { LocalSettings } from './settings';

interface Server {
  stop(): Promise<void>;
}

export interface Servers extends Server {
  /** Null if the environment names another. */
  broker: FaultyBroker | null;
}

/** The URLs of the embedded servers, as variables for the functions. Known before the servers run. */
export function serverEnvironment(settings: LocalSettings): Record<string, string> {
  return {
    ...(settings.databaseUrl === undefined && { DATABASE_URL: postgresUrl(settings.pgPort) }),
    ...(!settings.hasBroker && { RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${settings.amqpPort}` }),
    ...(!settings.hasMailServer && { SMTP_URL: `smtp://127.0.0.1:${settings.smtpPort}` }),
  };
}

/** Starts the embedded PostgreSQL, broker and mailbox, each only if the environment names no other. */
export async function startServers(settings: LocalSettings): Promise<Servers> {
  const broker = settings.hasBroker ? null : embeddedBroker(settings);
  const starting = [
    settings.databaseUrl === undefined ? embeddedPostgres(settings) : null,
    broker,
    settings.hasMailServer ? null : localMailbox(settings),
  ];
  const results = await Promise.allSettled(starting);
  const stop = async () => {
    const started = results.map((result) => (result.status === 'fulfilled' ? result.value : null));
    await Promise.all(started.map((server) => server?.stop()));
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  return { broker: await broker, stop };
}

async function embeddedPostgres(settings: LocalSettings): Promise<Server> {
  const dataDir = join(settings.dataDir, 'postgres');
  return startPostgres(dataDir, settings.pgPort, () => assertPortFree('PG_PORT', settings.pgPort));
}

async function embeddedBroker(settings: LocalSettings): Promise<FaultyBroker> {
  await assertPortFree('AMQP_PORT', settings.amqpPort);
  return startFaultyBroker({ port: settings.amqpPort, dataDir: join(settings.dataDir, 'amqp') });
}

async function localMailbox(settings: LocalSettings): Promise<Server> {
  await assertPortFree('SMTP_PORT', settings.smtpPort);
  await assertPortFree('MAIL_PORT', settings.mailPort);
  return startMailbox({ smtp: settings.smtpPort, page: settings.mailPort });
}
