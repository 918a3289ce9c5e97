import { join } from 'node:path';
import { startBroker } from './amqp-broker';
import { type Mailbox, startMailbox } from './mailbox';
import { assertPortFree } from './ports';
import { startPostgres } from './postgres';
import type { LocalSettings } from './settings';

export interface LocalServers {
  /** The URLs of the embedded servers, as variables for the functions. */
  environment: Record<string, string>;
  /** The page that shows the mails; null if `SMTP_URL` names another server. */
  mailPage: string | null;
  stop(): Promise<void>;
}

interface Server {
  url: string;
  stop(): Promise<void>;
}

/** Starts the embedded PostgreSQL, broker and mailbox, each only if the environment names no other. */
export async function startServers(settings: LocalSettings): Promise<LocalServers> {
  const starting = [
    settings.databaseUrl === undefined ? embeddedPostgres(settings) : null,
    settings.hasBroker ? null : embeddedBroker(settings),
    settings.hasMailServer ? null : localMailbox(settings),
  ] as const;
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
  const [postgres, broker, mailbox] = await Promise.all(starting);
  return {
    environment: {
      ...(postgres && { DATABASE_URL: postgres.url }),
      ...(broker && { RABBITMQ_URL: broker.url }),
      ...(mailbox && { SMTP_URL: mailbox.url }),
    },
    mailPage: mailbox?.page ?? null,
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

async function localMailbox(settings: LocalSettings): Promise<Mailbox> {
  await assertPortFree('SMTP_PORT', settings.smtpPort);
  await assertPortFree('MAIL_PORT', settings.mailPort);
  return startMailbox({ smtp: settings.smtpPort, page: settings.mailPort });
}
