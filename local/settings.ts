import { resolve } from 'node:path';
import * as v from 'valibot';

const port = (fallback: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, 'must be a port number'),
      v.transform(Number),
      v.minValue(1, 'must be a port number'),
      v.maxValue(65_535, 'must be a port number'),
    ),
    String(fallback),
  );

const Settings = v.object({
  HTTP_PORT: port(3000),
  LAMBDA_PORT: port(3002),
  PG_PORT: port(54_320),
  AMQP_PORT: port(5673),
  SMTP_PORT: port(1025),
  MAIL_PORT: port(8025),
  DATA_DIR: v.optional(v.string(), '.local'),
  ADMIN_USERNAME: v.optional(v.string(), 'admin'),
  ADMIN_PASSWORD: v.optional(v.string()),
  DATABASE_URL: v.optional(v.string()),
  RABBITMQ_URL: v.optional(v.string()),
  RABBITMQ_HOST: v.optional(v.string()),
  SMTP_URL: v.optional(v.string()),
  PUBLIC_URL: v.optional(v.string()),
  JWT_SECRET: v.optional(v.string()),
  WEBHOOK_ALLOWED_NETWORKS: v.optional(v.string(), '127.0.0.0/8,::1/128'),
});

export type LocalSettings = ReturnType<typeof readSettings>;

/** What `npm start` itself reads of the environment; the functions read theirs in shared/config.ts. */
export function readSettings(environment: NodeJS.ProcessEnv) {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = v.safeParse(Settings, present);
  if (!result.success) {
    throw new Error(result.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`).join('\n'));
  }
  const env = result.output;
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
    /** Set: a server that is there already. Unset: the embedded one. */
    databaseUrl: env.DATABASE_URL,
    hasBroker: env.RABBITMQ_URL !== undefined || env.RABBITMQ_HOST !== undefined,
    hasMailServer: env.SMTP_URL !== undefined,
    /** Where the links in mails lead; here, to the API's own pages. */
    publicUrl: env.PUBLIC_URL ?? `http://localhost:${env.HTTP_PORT}`,
    jwtSecret: env.JWT_SECRET,
    /** Where webhooks may lead although it is not the Internet: here, to this machine. */
    webhookNetworks: env.WEBHOOK_ALLOWED_NETWORKS,
  };
}
