import * as v from 'valibot';
import { LOG_LEVELS } from '../log';
import { parseEncryptionKey } from '../seal';
import { parsePreviousKeys, parsePrivateKey, parseSecret } from '../tokens/token-keys';
import type { AwsAccess } from './get-secret';
import { parseMailbox, parseMailboxes } from './mailboxes';
import { parseMirrors } from './mirrors';
import { parseOrigins } from './origins';
import { parsePasskeyOrigins, parseRelyingPartyId } from './relying-party';
import { parseReturnUrls } from './return-urls';
import {
  parseBaseUrl,
  parseBreachedSource,
  parseBrokerUrl,
  parseDatabaseUrl,
  parseHost,
  parseMailServerUrl,
  parseVirtualHost,
} from './servers';
import { parseColor, parseLogo } from './theme';
import {
  brokerName,
  flag,
  integer,
  list,
  matching,
  network,
  number,
  onOff,
  parsed,
  port,
  proxyNetwork,
  rate,
  shortText,
  text,
} from './values';

const DAY_SECONDS = 24 * 60 * 60;

/** Shorter words occur in too many passwords. */
const contextWord = v.pipe(v.string(), v.minLength(3, 'must be words of at least 3 characters'));

/** Every variable that the functions read, with its format and default. */
export const Environment = v.object({
  DATABASE_URL: parsed(parseDatabaseUrl),
  DATABASE_POOL_SIZE: integer(1, 1, 100),
  DATABASE_PREPARED: flag(true),
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
  SESSION_IDLE_SECONDS: integer(0, 0, 400 * DAY_SECONDS),
  REAUTH_SECONDS: integer(10 * 60, 1, DAY_SECONDS),

  ENCRYPTION_KEYS: list(parsed(parseEncryptionKey), ''),
  PASSKEY_RP_ID: v.optional(parsed(parseRelyingPartyId)),
  PASSKEY_ORIGINS: v.optional(parsed(parsePasskeyOrigins), ''),

  RATE_LIMITS: onOff('on'),
  RATE_LIMIT_LOGIN_ACCOUNT: rate('10/900'),
  RATE_LIMIT_LOGIN_ACCOUNT_DAY: rate('50/86400'),
  RATE_LIMIT_LOGIN_ADDRESS: rate('100/900'),
  RATE_LIMIT_PASSKEY_ADDRESS: rate('300/900'),
  RATE_LIMIT_REGISTER_ADDRESS: rate('100/3600'),
  RATE_LIMIT_REFRESH_ACCOUNT: rate('300/900'),
  RATE_LIMIT_REFRESH_ADDRESS: rate('1000/900'),
  RATE_LIMIT_UPDATE_ACCOUNT: rate('60/3600'),
  RATE_LIMIT_NAME_ACCOUNT: rate('10/3600'),
  RATE_LIMIT_EXPORT_ACCOUNT: rate('5/86400'),
  RATE_LIMIT_MAIL_ACCOUNT: rate('5/3600'),
  RATE_LIMIT_MAIL_ADDRESS: rate('100/3600'),

  PASSWORD_HASH: v.optional(v.picklist(['argon2id', 'bcrypt'], 'must be argon2id or bcrypt')),
  BCRYPT_COST: integer(10, 4, 15),
  PASSWORD_CONTEXT_WORDS: list(contextWord, ''),
  REQUIRE_EMAIL: flag(true),
  EMAIL_LOGIN: onOff('off'),
  BREACHED_PASSWORDS: v.optional(parsed(parseBreachedSource), 'off'),
  CORS_ORIGINS: v.optional(parsed(parseOrigins), ''),
  TRUSTED_PROXIES: list(proxyNetwork, ''),

  CONSOLE: onOff('on'),
  RETURN_URLS: v.optional(parsed(parseReturnUrls), ''),
  BRAND_COLOR: v.optional(parsed(parseColor), '#1d4fc4'),
  LOGO_URL: v.optional(parsed(parseLogo)),

  SMTP_URL: v.optional(parsed(parseMailServerUrl)),
  MAIL_FROM: v.optional(parsed(parseMailbox), 'Rollcall <no-reply@localhost>'),
  ADMIN_NOTIFY_EMAIL: v.optional(parsed(parseMailboxes), ''),
  // The QR code for an authenticator app holds it twice, percent-encoded, and has room for some 2,900 bytes.
  APP_NAME: shortText('Rollcall', 64),
  PUBLIC_URL: v.optional(parsed(parseBaseUrl), 'http://localhost:3000'),
  VERIFY_EMAIL_SECONDS: integer(DAY_SECONDS, 60, 30 * DAY_SECONDS),
  RESET_PASSWORD_SECONDS: integer(60 * 60, 60, DAY_SECONDS),
  UNDO_EMAIL_CHANGE_SECONDS: integer(7 * DAY_SECONDS, 60, 30 * DAY_SECONDS),

  EVENT_EXCHANGE: brokerName('user_events', { existing: 'amq.topic' }),
  EVENT_MIRRORS: v.optional(parsed(parseMirrors), '[]'),
  // Leaves room for suffixes such as `.retry.604800000`.
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
  // Much less than a run of the poller, which returns a batch that still waits at its end.
  POLL_BATCH_WINDOW_MS: integer(200, 0, 30_000),
  POLL_BATCH_QUIET_MS: integer(5, 0, 300_000),
  RETRY_DELAYS_MS: v.pipe(
    list(number(1, 7 * DAY_SECONDS * 1000), '5000,30000,300000,1800000,7200000'),
    // Later events of a user wait in a retry queue for the one that failed, also if that is not retried.
    v.minLength(1, 'must have at least one delay'),
  ),

  EVENT_RETENTION_DAYS: integer(30, 1, 3_650),
  AUDIT_ADDRESS_DAYS: integer(90, 1, 3_650),
  // Also the limit of each of its statements.
  PURGE_BUDGET_MS: integer(50_000, 1_000, 890_000),
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
    'the start of a function name or ARN: letters, digits, -, _ and :',
    'rollcall-dev-',
  ),
  LAMBDA_ENDPOINT: v.optional(parsed(parseBaseUrl)),
  METRICS: onOff('off'),
  LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`), 'info'),
});

export const VARIABLES = Object.keys(Environment.entries);

/** Id of the secret in Secrets Manager with further variables; undefined if there is none. */
export function secretId(): string | undefined {
  return process.env['SECRET_ID'] || undefined;
}

/** AWS region and credentials, from the variables that Lambda sets. */
export function awsAccess(environment: NodeJS.ProcessEnv = process.env): AwsAccess {
  return {
    region: environment['AWS_REGION'] ?? '',
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    sessionToken: environment['AWS_SESSION_TOKEN'],
    endpoint: environment['AWS_ENDPOINT_URL'],
  };
}

/** Adds a secret's values to the environment, for our variables that are not set. @param text a JSON object */
export function addSecrets(text: string, environment: NodeJS.ProcessEnv = process.env): void {
  const json: unknown = JSON.parse(text);
  if (Array.isArray(json)) throw new Error('The secret must be a JSON object');
  const values = v.parse(v.record(v.string(), v.string()), json);
  for (const name of VARIABLES) environment[name] ||= values[name] ?? '';
}
