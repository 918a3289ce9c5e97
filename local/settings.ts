import { resolve } from 'node:path';
import * as v from 'valibot';
import { ConfigError, readConfig } from '../shared/config';
import { port } from '../shared/config/values';

const Settings = v.object({
  HTTP_PORT: v.optional(port, '3000'),
  LAMBDA_PORT: v.optional(port, '3002'),
  PG_PORT: v.optional(port, '54320'),
  AMQP_PORT: v.optional(port, '5673'),
  SMTP_PORT: v.optional(port, '1025'),
  MAIL_PORT: v.optional(port, '8025'),
  DATA_DIR: v.optional(v.string(), '.local'),
  ADMIN_USERNAME: v.optional(v.string(), 'admin'),
  ADMIN_PASSWORD: v.optional(v.string()),
  DATABASE_URL: v.optional(v.string()),
  RABBITMQ_URL: v.optional(v.string()),
  RABBITMQ_HOST: v.optional(v.string()),
  SMTP_URL: v.optional(v.string()),
  PUBLIC_URL: v.optional(v.string()),
  JWT_SECRET: v.optional(v.string()),
  ENCRYPTION_KEYS: v.optional(v.string()),
  EMAIL_LOGIN: v.optional(v.string(), 'on'),
  WEBHOOK_ALLOWED_NETWORKS: v.optional(v.string(), '127.0.0.0/8,::1/128'),
});

export type LocalSettings = ReturnType<typeof readSettings>;

/**
 * The variables of `npm start` itself; shared/config/index.ts reads those of the functions.
 * @param hasLambda whether Lambda's endpoint is served, too
 * @throws ConfigError naming every variable that is wrong
 */
export function readSettings(environment: NodeJS.ProcessEnv, hasLambda: boolean) {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = v.safeParse(Settings, present);
  if (!result.success) {
    throw new ConfigError(result.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`));
  }
  const env = result.output;
  const { LAMBDA_PORT, ...others } = env;
  const twice = portsUsedTwice(hasLambda ? { ...others, LAMBDA_PORT } : others);
  if (twice.length > 0) throw new ConfigError(twice);
  return {
    httpPort: env.HTTP_PORT,
    lambdaPort: env.LAMBDA_PORT,
    pgPort: env.PG_PORT,
    amqpPort: env.AMQP_PORT,
    smtpPort: env.SMTP_PORT,
    mailPort: env.MAIL_PORT,
    dataDir: resolve(env.DATA_DIR),
    adminUsername: env.ADMIN_USERNAME,
    adminPassword: env.ADMIN_PASSWORD,
    /** Undefined: start the embedded server. */
    databaseUrl: env.DATABASE_URL,
    hasBroker: env.RABBITMQ_URL !== undefined || env.RABBITMQ_HOST !== undefined,
    hasMailServer: env.SMTP_URL !== undefined,
    lambdaEndpoint: `http://127.0.0.1:${env.LAMBDA_PORT}`,
    /** Where the mailbox shows the mails. */
    mailPage: `http://localhost:${env.MAIL_PORT}`,
    /** The base URL of links in mails; by default the local API. */
    publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.HTTP_PORT}`,
    jwtSecret: env.JWT_SECRET,
    encryptionKeys: env.ENCRYPTION_KEYS,
    /** On by default, because the mailbox catches the codes. */
    emailLogin: env.EMAIL_LOGIN,
    /** Private networks that webhooks may reach; by default this machine. */
    webhookNetworks: env.WEBHOOK_ALLOWED_NETWORKS,
  };
}

/** Placeholders for the variables that `npm start` supplies. */
const SUPPLIED = {
  DATABASE_URL: 'postgres://supplied.invalid/rollcall',
  RABBITMQ_URL: 'amqp://supplied.invalid',
  JWT_SECRET: 'supplied, and kept in the data directory',
};

/** Validates the functions' variables before anything starts. @throws ConfigError naming every wrong one */
export function checkConfiguration(environment: NodeJS.ProcessEnv): void {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  readConfig({ ...SUPPLIED, ...given });
}

/** Checked here, because the second server would report the port as taken by another program. */
function portsUsedTwice(env: Partial<v.InferOutput<typeof Settings>>): string[] {
  const ports = Object.entries(env).filter(
    (entry): entry is [string, number] => entry[0].endsWith('_PORT') && typeof entry[1] === 'number',
  );
  return ports.flatMap(([name, number], index) => {
    const other = ports.slice(0, index).find(([, before]) => before === number);
    return other ? [`${name} must differ from ${other[0]}`] : [];
  });
}
