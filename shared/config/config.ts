import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { LOG_LEVELS } from '../log';
import { parsePreviousKeys, parsePrivateKey, parseSecret } from '../tokens/token-keys';
import type { AwsAccess } from './get-secret';
import { parseMailbox, parseMailboxes } from './mailboxes';
import { ownNamesIn, parseMirrors } from './mirrors';
import { parseOrigins } from './origins';
import {
  parseBaseUrl,
  parseBrokerUrl,
  parseDatabaseUrl,
  parseHost,
  parseMailServerUrl,
  parseVirtualHost,
} from './servers';
import {
  brokerName,
  flag,
  integer,
  list,
  matching,
  network,
  number,
  parsed,
  port,
  proxyNetwork,
  rate,
  text,
} from './values';

const DAY_SECONDS = 24 * 60 * 60;
/** A cold start, and a rollback. */
const CALL_MARGIN_MS = 5_000;

const Environment = v.object({
  DATABASE_URL: parsed(parseDatabaseUrl),
  DATABASE_POOL_SIZE: integer(1, 1, 100),
  DATABASE_CONNECT_TIMEOUT_MS: integer(3_000, 1, 60_000),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(5_000, 0, 900_000),
  DATABASE_LOCK_TIMEOUT_MS: integer(4_000, 0, 900_000),
  DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS: integer(60_000, 0, 900_000),

  RABBITMQ_URL: v.optional(parsed(parseBrokerUrl)),
  RABBITMQ_HOST: v.optional(parsed(parseHost)),
  RABBITMQ_PORT: v.optional(port),
  RABBITMQ_USER: text('guest'),
  RABBITMQ_PASS: v.optional(v.string(), 'guest'),
  RABBITMQ_VHOST: v.optional(parsed(parseVirtualHost), '/'),
  RABBITMQ_TLS: flag(false),

  JWT_SECRET: v.optional(parsed(parseSecret)),
  JWT_PRIVATE_KEY: v.optional(parsed(parsePrivateKey)),
  JWT_PREVIOUS_KEYS: v.optional(parsed(parsePreviousKeys), '[]'),
  JWT_ISSUER: text('rollcall'),
  JWT_AUDIENCE: text('rollcall'),
  ACCESS_TOKEN_SECONDS: integer(15 * 60, 1, DAY_SECONDS),
  REFRESH_TOKEN_SECONDS: integer(30 * DAY_SECONDS, 1, 400 * DAY_SECONDS),
  REAUTH_SECONDS: integer(10 * 60, 1, DAY_SECONDS),

  RATE_LIMITS: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  RATE_LIMIT_LOGIN_ACCOUNT: rate('10/900'),
  RATE_LIMIT_LOGIN_ACCOUNT_DAY: rate('50/86400'),
  RATE_LIMIT_LOGIN_ADDRESS: rate('100/900'),
  RATE_LIMIT_REGISTER_ADDRESS: rate('100/3600'),
  RATE_LIMIT_REFRESH_ACCOUNT: rate('300/900'),
  RATE_LIMIT_REFRESH_ADDRESS: rate('1000/900'),
  RATE_LIMIT_UPDATE_ACCOUNT: rate('60/3600'),
  RATE_LIMIT_NAME_ACCOUNT: rate('10/3600'),
  RATE_LIMIT_MAIL_ACCOUNT: rate('5/3600'),
  RATE_LIMIT_MAIL_ADDRESS: rate('100/3600'),

  BCRYPT_COST: integer(10, 4, 15),
  REQUIRE_EMAIL: flag(true),
  BREACHED_PASSWORDS: v.pipe(
    text('off'),
    v.check(
      (value) => value === 'off' || isAbsolute(value) || (/^https?:/.test(value) && URL.canParse(value)),
      'must be off, the URL of a range service or the absolute path of a local copy',
    ),
  ),
  CORS_ORIGINS: v.optional(parsed(parseOrigins), ''),
  TRUSTED_PROXIES: list(proxyNetwork, ''),

  SMTP_URL: v.optional(parsed(parseMailServerUrl)),
  MAIL_FROM: v.optional(parsed(parseMailbox), 'Rollcall <no-reply@localhost>'),
  ADMIN_NOTIFY_EMAIL: v.optional(parsed(parseMailboxes), ''),
  APP_NAME: text('Rollcall'),
  PUBLIC_URL: v.optional(parsed(parseBaseUrl), 'http://localhost:3000'),
  VERIFY_EMAIL_SECONDS: integer(DAY_SECONDS, 60, 30 * DAY_SECONDS),
  RESET_PASSWORD_SECONDS: integer(60 * 60, 60, DAY_SECONDS),
  UNDO_EMAIL_CHANGE_SECONDS: integer(7 * DAY_SECONDS, 60, 30 * DAY_SECONDS),

  EVENT_EXCHANGE: brokerName('user_events', { existing: 'amq.topic' }),
  EVENT_MIRRORS: v.optional(parsed(parseMirrors), '[]'),
  // With room for what follows it, such as `.retry.604800000`.
  QUEUE_PREFIX: brokerName('rollcall', { room: 55 }),
  QUEUE_TYPE: v.optional(v.picklist(['classic', 'quorum'], 'must be classic or quorum'), 'quorum'),
  PUBLISH_DEADLINE_MS: integer(500, 1, 30_000),
  PUBLISH_PAUSE_MS: integer(5_000, 0, 600_000),
  RELAY_BUDGET_MS: integer(55_000, 0, 890_000),
  RELAY_BATCH_SIZE: integer(500, 1, 10_000),
  RELAY_IDLE_MS: integer(1_000, 1, 60_000),
  POLL_BUDGET_MS: integer(55_000, 0, 890_000),
  POLL_BATCH_SIZE: integer(100, 1, 10_000),
  POLL_PREFETCH: integer(400, 1, 2_000),
  HANDLER_TIMEOUT_MS: integer(10_000, 1, 400_000),
  POLL_BATCH_WINDOW_MS: integer(200, 0, 300_000),
  POLL_BATCH_QUIET_MS: integer(5, 0, 300_000),
  RETRY_DELAYS_MS: list(number(1, 7 * DAY_SECONDS * 1000), '5000,30000,300000,1800000,7200000'),

  EVENT_RETENTION_DAYS: integer(30, 1, 3_650),
  AUDIT_ADDRESS_DAYS: integer(90, 1, 3_650),
  PURGE_BUDGET_MS: integer(50_000, 1, 890_000),
  WEBHOOK_ALLOWED_NETWORKS: list(network, ''),
  WEBHOOK_TIMEOUT_MS: integer(15_000, 1, 25_000),
  WEBHOOK_RETRY_DELAYS_MS: list(
    number(1, 7 * DAY_SECONDS * 1000),
    '5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,86400000',
  ),
  WEBHOOK_DISABLE_AFTER_SECONDS: integer(5 * DAY_SECONDS, 0, 400 * DAY_SECONDS),
  WEBHOOK_CONCURRENCY: integer(100, 1, 1_000),
  WEBHOOK_ENDPOINT_CONCURRENCY: integer(5, 1, 1_000),
  WEBHOOK_BUDGET_MS: integer(60_000, 0, 830_000),
  WEBHOOK_IDLE_MS: integer(500, 1, 60_000),

  FUNCTION_PREFIX: matching(
    /^[\w:-]{1,140}$/,
    'what a function name or ARN begins with: letters, digits, -, _ and :',
    'rollcall-dev-',
  ),
  LAMBDA_ENDPOINT: v.optional(parsed(parseBaseUrl)),
  METRICS: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'off'),
  LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`), 'info'),
});

/** Every variable that the functions read. */
export const VARIABLES = Object.keys(Environment.entries);

/** The secret in Secrets Manager that completes this environment; undefined where it is complete. */
export function secretId(): string | undefined {
  return process.env['SECRET_ID'] || undefined;
}

/** What Lambda tells a function about itself. */
export function awsAccess(environment: NodeJS.ProcessEnv = process.env): AwsAccess {
  return {
    region: environment['AWS_REGION'] ?? '',
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: environment['AWS_SESSION_TOKEN'],
    endpoint: environment['AWS_ENDPOINT_URL'],
  };
}

/** Adds a secret's values to the environment, those that are ours and not there yet. @param text a JSON object */
export function addSecrets(text: string, environment: NodeJS.ProcessEnv = process.env): void {
  const json: unknown = JSON.parse(text);
  if (Array.isArray(json)) throw new Error('The secret is a list and no object');
  const values = v.parse(v.record(v.string(), v.string()), json);
  for (const name of VARIABLES) environment[name] ||= values[name] ?? '';
}

/** What is wrong with the environment: every missing or bad variable in one message. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`The configuration is not complete:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export type Config = ReturnType<typeof readConfig>;

/**
 * The configuration, validated as a whole. Empty variables count as missing.
 * @throws ConfigError naming every variable that is missing or wrong; values are not repeated, they may be secrets
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = v.safeParse(Environment, present);
  const problems = (result.issues ?? []).map((issue) => `${v.getDotPath(issue)} ${message(issue)}`);
  if (!present['RABBITMQ_URL'] && !present['RABBITMQ_HOST']) {
    problems.push('RABBITMQ_URL (or RABBITMQ_HOST) is missing');
  }
  if (!present['JWT_SECRET'] && !present['JWT_PRIVATE_KEY']) {
    problems.push('JWT_SECRET is missing (at least 32 bytes), or JWT_PRIVATE_KEY');
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  const env = result.output;
  // With a private key the secret is no longer accepted, unless it is named among the previous keys.
  const signingKey = env.JWT_PRIVATE_KEY ?? env.JWT_SECRET;
  if (!signingKey) throw new ConfigError(problems);
  const clashes = ownNamesIn(env.EVENT_MIRRORS, env.EVENT_EXCHANGE, env.QUEUE_PREFIX);
  if (clashes.length > 0) throw new ConfigError(clashes);
  return {
    database: {
      url: env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
      connectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: env.DATABASE_LOCK_TIMEOUT_MS,
      idleInTransactionTimeoutMs: env.DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
    broker: { url: env.RABBITMQ_URL ?? brokerUrl(env) },
    tokens: {
      signingKey,
      previousKeys: env.JWT_PREVIOUS_KEYS,
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
      accessSeconds: env.ACCESS_TOKEN_SECONDS,
      refreshSeconds: env.REFRESH_TOKEN_SECONDS,
      reauthSeconds: env.REAUTH_SECONDS,
    },
    rateLimits: {
      enabled: env.RATE_LIMITS === 'on',
      /** Turns what is counted into keys that tell nobody whose they are. */
      secret: `rate limits, ${signingKey.privateJwk.k ?? signingKey.privateJwk.d}`,
      limits: {
        loginAccount: env.RATE_LIMIT_LOGIN_ACCOUNT,
        loginAccountDay: env.RATE_LIMIT_LOGIN_ACCOUNT_DAY,
        loginAddress: env.RATE_LIMIT_LOGIN_ADDRESS,
        registerAddress: env.RATE_LIMIT_REGISTER_ADDRESS,
        refreshAccount: env.RATE_LIMIT_REFRESH_ACCOUNT,
        refreshAddress: env.RATE_LIMIT_REFRESH_ADDRESS,
        updateAccount: env.RATE_LIMIT_UPDATE_ACCOUNT,
        nameAccount: env.RATE_LIMIT_NAME_ACCOUNT,
        mailAccount: env.RATE_LIMIT_MAIL_ACCOUNT,
        mailAddress: env.RATE_LIMIT_MAIL_ADDRESS,
      },
    },
    /** Turns names that nobody could log in with into what says nothing to a reader of the audit log. */
    audit: { secret: `audit, ${signingKey.privateJwk.k ?? signingKey.privateJwk.d}` },
    /** Turns idempotency keys, and what was sent with them, into what says nothing to a reader of the table. */
    idempotency: { secret: `idempotency, ${signingKey.privateJwk.k ?? signingKey.privateJwk.d}` },
    /** `off`, the URL of a range service, or the path of a local copy. */
    passwords: { breached: env.BREACHED_PASSWORDS },
    users: { bcryptCost: env.BCRYPT_COST, requireEmail: env.REQUIRE_EMAIL },
    corsOrigins: env.CORS_ORIGINS,
    /** Networks whose `X-Forwarded-For` counts. */
    trustedProxies: env.TRUSTED_PROXIES,
    mail: {
      /** `off`: this service sends no mail. Undefined: nobody has decided, and sending fails. */
      smtpUrl: env.SMTP_URL,
      from: env.MAIL_FROM,
      adminAddresses: env.ADMIN_NOTIFY_EMAIL,
      appName: env.APP_NAME,
      /** Where the links in mails lead: the pages that take a token from their query. */
      publicUrl: env.PUBLIC_URL,
      verifySeconds: env.VERIFY_EMAIL_SECONDS,
      resetSeconds: env.RESET_PASSWORD_SECONDS,
      undoSeconds: env.UNDO_EMAIL_CHANGE_SECONDS,
    },
    events: {
      exchange: env.EVENT_EXCHANGE,
      mirrors: env.EVENT_MIRRORS,
      queuePrefix: env.QUEUE_PREFIX,
      queueType: env.QUEUE_TYPE,
      publishDeadlineMs: env.PUBLISH_DEADLINE_MS,
      publishPauseMs: env.PUBLISH_PAUSE_MS,
      retryDelaysMs: env.RETRY_DELAYS_MS,
    },
    relay: { budgetMs: env.RELAY_BUDGET_MS, batchSize: env.RELAY_BATCH_SIZE, idleMs: env.RELAY_IDLE_MS },
    poll: {
      budgetMs: env.POLL_BUDGET_MS,
      batchSize: env.POLL_BATCH_SIZE,
      prefetch: env.POLL_PREFETCH,
      /** A function begins nothing after one time-out of a handler and may need another; the rest is for the wire. */
      callTimeoutMs: 2 * env.HANDLER_TIMEOUT_MS + CALL_MARGIN_MS,
      batchWindowMs: env.POLL_BATCH_WINDOW_MS,
      batchQuietMs: env.POLL_BATCH_QUIET_MS,
    },
    handlers: { timeoutMs: env.HANDLER_TIMEOUT_MS },
    purge: {
      budgetMs: env.PURGE_BUDGET_MS,
      retentionDays: env.EVENT_RETENTION_DAYS,
      auditAddressDays: env.AUDIT_ADDRESS_DAYS,
    },
    webhooks: {
      /** Where endpoints may be although it is not the public Internet, and without TLS. */
      allowedNetworks: env.WEBHOOK_ALLOWED_NETWORKS,
      timeoutMs: env.WEBHOOK_TIMEOUT_MS,
      retryDelaysMs: env.WEBHOOK_RETRY_DELAYS_MS,
      disableAfterSeconds: env.WEBHOOK_DISABLE_AFTER_SECONDS,
      concurrency: env.WEBHOOK_CONCURRENCY,
      endpointConcurrency: env.WEBHOOK_ENDPOINT_CONCURRENCY,
      budgetMs: env.WEBHOOK_BUDGET_MS,
      idleMs: env.WEBHOOK_IDLE_MS,
    },
    lambda: { functionPrefix: env.FUNCTION_PREFIX, endpoint: env.LAMBDA_ENDPOINT },
    metrics: {
      enabled: env.METRICS === 'on',
      /** Tells the stages apart, such as `rollcall-prod`. */
      service: env.FUNCTION_PREFIX.replace(/-$/, ''),
    },
    logLevel: env.LOG_LEVEL,
  };
}

function message(issue: v.BaseIssue<unknown>): string {
  return issue.input === undefined ? 'is missing' : issue.message;
}

function brokerUrl(env: v.InferOutput<typeof Environment>): string {
  const protocol = env.RABBITMQ_TLS ? 'amqps' : 'amqp';
  const port = env.RABBITMQ_PORT ?? (env.RABBITMQ_TLS ? 5671 : 5672);
  const credentials = `${encodeURIComponent(env.RABBITMQ_USER)}:${encodeURIComponent(env.RABBITMQ_PASS)}`;
  return `${protocol}://${credentials}@${env.RABBITMQ_HOST}:${port}/${encodeURIComponent(env.RABBITMQ_VHOST)}`;
}
