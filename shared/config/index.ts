import * as v from 'valibot';
import { hasArgon2 } from '../argon2';
import { Environment } from './environment';
import { ownNamesIn } from './mirrors';
import { relyingPartyOf } from './relying-party';

/** Time for a cold start and a rollback. */
const CALL_MARGIN_MS = 5_000;

/** The environment is invalid. One message lists every missing or invalid variable. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`The configuration is invalid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export type Config = ReturnType<typeof readConfig>;

/**
 * The configuration, validated as a whole. Empty variables count as missing.
 * @param runtime what the Node.js that uses it can compute
 * @throws ConfigError naming every missing or invalid variable, without its value, which may be a secret
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env, runtime = { argon2: hasArgon2() }) {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = v.safeParse(Environment, present);
  const problems = (result.issues ?? []).map((issue) => `${v.getDotPath(issue)} ${message(issue)}`);
  if (!present['RABBITMQ_URL'] && !present['RABBITMQ_HOST']) {
    problems.push('RABBITMQ_URL (or RABBITMQ_HOST) is missing');
  }
  if (!present['JWT_SECRET'] && !present['JWT_PRIVATE_KEY']) {
    problems.push('JWT_SECRET is missing (at least 32 bytes), or JWT_PRIVATE_KEY');
  }
  if (present['PASSWORD_HASH'] === 'argon2id' && !runtime.argon2) {
    problems.push(
      `PASSWORD_HASH is argon2id, which Node.js ${process.version} cannot compute: run Node.js 24.7 or later, or set it to bcrypt`,
    );
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  const env = result.output;
  // If there is a private key, the secret is not accepted any more, unless it is one of the previous keys.
  const signingKey = env.JWT_PRIVATE_KEY ?? env.JWT_SECRET;
  if (!signingKey) throw new ConfigError(problems);
  const secret = signingKey.privateJwk.k ?? signingKey.privateJwk.d;
  problems.push(...ownNamesIn(env.EVENT_MIRRORS, env.EVENT_EXCHANGE, env.QUEUE_PREFIX), ...idleProblems(env));
  const relyingParty = relyingPartyOf(env);
  if ('problem' in relyingParty) throw new ConfigError([...problems, relyingParty.problem]);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    database: {
      url: env.DATABASE_URL,
      poolSize: env.DATABASE_POOL_SIZE,
      prepared: env.DATABASE_PREPARED,
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
      /** 0: none. */
      idleSeconds: env.SESSION_IDLE_SECONDS,
      reauthSeconds: env.REAUTH_SECONDS,
    },
    factors: {
      /** The first one seals the secrets of second factors, all open them. Empty: there are no second factors. */
      encryptionKeys: env.ENCRYPTION_KEYS,
    },
    /** Whom passkeys are for, and the origins of the pages and apps that may use them. */
    passkeys: relyingParty,
    rateLimits: {
      enabled: env.RATE_LIMITS,
      /** Key of the hashes under which uses are counted. */
      secret: `rate limits, ${secret}`,
      limits: {
        loginAccount: env.RATE_LIMIT_LOGIN_ACCOUNT,
        loginAccountDay: env.RATE_LIMIT_LOGIN_ACCOUNT_DAY,
        loginAddress: env.RATE_LIMIT_LOGIN_ADDRESS,
        passkeyAddress: env.RATE_LIMIT_PASSKEY_ADDRESS,
        registerAddress: env.RATE_LIMIT_REGISTER_ADDRESS,
        refreshAccount: env.RATE_LIMIT_REFRESH_ACCOUNT,
        refreshAddress: env.RATE_LIMIT_REFRESH_ADDRESS,
        updateAccount: env.RATE_LIMIT_UPDATE_ACCOUNT,
        nameAccount: env.RATE_LIMIT_NAME_ACCOUNT,
        exportAccount: env.RATE_LIMIT_EXPORT_ACCOUNT,
        mailAccount: env.RATE_LIMIT_MAIL_ACCOUNT,
        mailAddress: env.RATE_LIMIT_MAIL_ADDRESS,
      },
    },
    /** Key of the hashes of names in failed logins. */
    audit: { secret: `audit, ${secret}` },
    /** Key of the hashes of idempotency keys and their requests. */
    idempotency: { secret: `idempotency, ${secret}` },
    /** Key that mailed codes are derived with. */
    mailedCodes: { secret: `mailed codes, ${secret}` },
    passwords: {
      /** `off`, the URL of a range service, or the path of a local copy. */
      breached: env.BREACHED_PASSWORDS,
      /** Of new hashes. */
      algorithm: env.PASSWORD_HASH ?? (runtime.argon2 ? 'argon2id' : 'bcrypt'),
      bcryptCost: env.BCRYPT_COST,
      /** What attackers try first: the service's name, and words that belong to it. */
      contextWords: [env.APP_NAME, ...env.PASSWORD_CONTEXT_WORDS],
    },
    users: { requireEmail: env.REQUIRE_EMAIL },
    /** Whether users can sign in with a mailed code, and so may do without a password. */
    hasEmailLogin: env.EMAIL_LOGIN,
    corsOrigins: env.CORS_ORIGINS,
    /** Networks of proxies whose `X-Forwarded-For` is trusted. */
    trustedProxies: env.TRUSTED_PROXIES,
    /** Whether `GET /console` is there. */
    hasConsole: env.CONSOLE,
    pages: {
      /** Where the hosted pages may return to. */
      returnUrls: env.RETURN_URLS,
      brandColor: env.BRAND_COLOR,
      logo: env.LOGO_URL,
    },
    mail: {
      /** `off`: send no emails. Undefined: not configured, sending fails. */
      smtpUrl: env.SMTP_URL,
      from: env.MAIL_FROM,
      adminAddresses: env.ADMIN_NOTIFY_EMAIL,
      appName: env.APP_NAME,
      /** Base URL of the pages that links in emails open. */
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
      /** A function starts no handler after one handler timeout, and the last one may need another; plus transfer time. */
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
      /** Non-public networks that webhooks may use, even without TLS. */
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
      enabled: env.METRICS,
      /** Name of the stage, such as `rollcall-prod`. */
      service: env.FUNCTION_PREFIX.replace(/-$/, ''),
    },
    logLevel: env.LOG_LEVEL,
  };
}

type Variables = v.InferOutput<typeof Environment>;

/** Clients refresh when their access token expires, and would find the session ended. */
function idleProblems({ SESSION_IDLE_SECONDS: idle, ACCESS_TOKEN_SECONDS: access }: Variables): string[] {
  if (idle === 0 || idle > access) return [];
  return [`SESSION_IDLE_SECONDS must be more than ACCESS_TOKEN_SECONDS (${access}), or 0`];
}

function message(issue: v.BaseIssue<unknown>): string {
  return issue.input === undefined ? 'is missing' : issue.message;
}

function brokerUrl(env: Variables): string {
  const protocol = env.RABBITMQ_TLS ? 'amqps' : 'amqp';
  const port = env.RABBITMQ_PORT ?? (env.RABBITMQ_TLS ? 5671 : 5672);
  const credentials = `${encodeURIComponent(env.RABBITMQ_USER)}:${encodeURIComponent(env.RABBITMQ_PASS)}`;
  return `${protocol}://${credentials}@${env.RABBITMQ_HOST}:${port}/${encodeURIComponent(env.RABBITMQ_VHOST)}`;
}
