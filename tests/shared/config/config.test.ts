import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError, readConfig } from '../../../shared/config';
import { VARIABLES } from '../../../shared/config/environment';
import { createPlainContext } from '../../../shared/context/plain-context';
import { CHECK_TIMEOUT_MS } from '../../../shared/db/pooled-connection';
import { FOLLOW_UP_BUDGET_MS, MAIL_TIMEOUT_MS } from '../../../shared/erasure/follow-up-erasures';
import { createLog } from '../../../shared/log';
import { BATCH_TIMEOUT_MS } from '../../../shared/outbox/relay';
import { endTimeoutMs } from '../../../shared/poller/poll-queues';
import { WRITE_TIMEOUT_MS } from '../../../shared/webhook-delivery/outcome-writer';

const COMPLETE = {
  DATABASE_URL: 'postgres://localhost/rollcall',
  RABBITMQ_URL: 'amqp://localhost',
  JWT_SECRET: 'x'.repeat(32),
};

function problems(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('has a default for everything but where the servers are and the secret', () => {
  expect(readConfig(COMPLETE)).toMatchObject({
    database: { poolSize: 1 },
    passwords: { bcryptCost: 10 },
    users: { requireEmail: true },
    events: { exchange: 'user_events', retryDelaysMs: [5_000, 30_000, 300_000, 1_800_000, 7_200_000] },
  });
});

test('names every missing and every bad variable in one message', () => {
  const message = problems({
    BCRYPT_COST: 'ten',
    REQUIRE_EMAIL: 'yes',
    RETRY_DELAYS_MS: '5,x',
    LOG_LEVEL: 'loud',
  });
  for (const name of [
    'DATABASE_URL is missing',
    'RABBITMQ_URL (or RABBITMQ_HOST) is missing',
    'JWT_SECRET is missing',
    'BCRYPT_COST must be a whole number from 4 to 15',
    'REQUIRE_EMAIL must be true or false',
    'RETRY_DELAYS_MS.1 must be a whole number',
    'LOG_LEVEL must be one of debug, info, warn, error, silent',
  ]) {
    expect(message).toContain(name);
  }
});

test.each([
  ['empty is missing', { DATABASE_URL: '' }, 'DATABASE_URL is missing'],
  ['empty is no 0', { BCRYPT_COST: '' }, ''],
  ['0 is a number that may be too small', { BCRYPT_COST: '0' }, 'BCRYPT_COST must be at least 4'],
  ['0 is a number where it is allowed', { PUBLISH_PAUSE_MS: '0' }, ''],
  ['garbage behind a number is garbage', { BCRYPT_COST: '10x' }, 'BCRYPT_COST must be a whole number'],
  [
    'a batch that would wait for longer than a run of the poller',
    { POLL_BATCH_WINDOW_MS: '60000', POLL_BATCH_QUIET_MS: '60000' },
    'POLL_BATCH_WINDOW_MS must be at most 30000',
  ],
  ['a list without a delay', { RETRY_DELAYS_MS: ',' }, 'RETRY_DELAYS_MS must have at least one delay'],
  [
    'a network without its size',
    { WEBHOOK_ALLOWED_NETWORKS: '::1/128, 10.0.0.0' },
    'WEBHOOK_ALLOWED_NETWORKS.1 must be a network such as 10.0.0.0/8',
  ],
  [
    'a network larger than there is',
    { WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/33' },
    'WEBHOOK_ALLOWED_NETWORKS.0 must be a network',
  ],
  ['less than a statement takes', { PURGE_BUDGET_MS: '999' }, 'PURGE_BUDGET_MS must be at least 1000'],
  ['a short secret', { JWT_SECRET: 'short' }, 'JWT_SECRET must be at least 32 bytes long'],
  ['32 spaces', { JWT_SECRET: ' '.repeat(32) }, 'JWT_SECRET must not be blank'],
  ['32 line breaks', { JWT_SECRET: '\r\n'.repeat(16) }, 'JWT_SECRET must not be blank'],
  ['a short encryption key', { ENCRYPTION_KEYS: 'short' }, 'must be 32 bytes in base64'],
  ['a blank secret of before', { JWT_PREVIOUS_KEYS: `["${' '.repeat(40)}"]` }, 'must not be blank'],
  [
    'a secret of NUL bytes',
    { JWT_PREVIOUS_KEYS: JSON.stringify([{ kty: 'oct', k: 'A'.repeat(43) }]) },
    'must not be blank',
  ],
  [
    'another protocol',
    { RABBITMQ_URL: 'http://localhost' },
    'RABBITMQ_URL must be a URL that starts with amqp://',
  ],
])('%s', (_name, change, expected) => {
  const message = problems({ ...COMPLETE, ...change });
  if (expected) expect(message).toContain(expected);
  else expect(message).toBe('');
});

test.each([
  ['x'.repeat(32), true],
  ['abababababababababababababababababab', true],
  ['0123456'.repeat(10), true],
  ['a secret of the tests, long enough', false],
  ['0123456789abcdef0123456789abcdef', false],
])('warns of a secret that can be guessed: %s', (secret, warned) => {
  const lines: string[] = [];
  const config = readConfig({ ...COMPLETE, JWT_SECRET: secret });
  createPlainContext(
    config,
    createLog('info', (line) => void lines.push(line)),
  );
  expect(lines.map((line) => line.includes('can be guessed'))).toEqual(warned ? [true] : []);
  expect(lines.join()).not.toContain(secret);
});

test('a message repeats no value: it may be a secret', () => {
  expect(
    problems({ ...COMPLETE, JWT_SECRET: 'hunter2', DATABASE_URL: 'mysql://me:hunter2@db' }),
  ).not.toContain('hunter2');
});

test('false and 0 are false, true and 1 are true', () => {
  const requireEmail = (value: string) =>
    readConfig({ ...COMPLETE, REQUIRE_EMAIL: value }).users.requireEmail;
  expect(['false', '0', 'true', '1'].map(requireEmail)).toEqual([false, false, true, true]);
});

test('builds the broker URL from its parts, with what needs escaping escaped', () => {
  const { RABBITMQ_URL: _url, ...rest } = COMPLETE;
  const parts = { RABBITMQ_HOST: 'mq', RABBITMQ_USER: 'me', RABBITMQ_PASS: 'p@ss/word', RABBITMQ_VHOST: '/' };
  expect(readConfig({ ...rest, ...parts }).broker.url).toBe('amqp://me:p%40ss%2Fword@mq:5672/%2F');
  expect(readConfig({ ...rest, ...parts, RABBITMQ_TLS: 'true' }).broker.url).toBe(
    'amqps://me:p%40ss%2Fword@mq:5671/%2F',
  );
});

test('every variable is passed to the functions by serverless.yml and explained in .env.example', () => {
  const serverless = readFileSync('serverless.yml', 'utf8');
  const example = readFileSync('.env.example', 'utf8');
  for (const name of VARIABLES) {
    expect(serverless).toMatch(new RegExp(`^    ${name}: `, 'm'));
    expect(example).toMatch(new RegExp(`^#? ?${name}=`, 'm'));
  }
});

function deployed() {
  return parse(readFileSync('serverless.yml', 'utf8')) as {
    provider: { timeout: number };
    functions: Record<string, { timeout?: number }>;
  };
}

const { relay, poll, purge, webhooks, database } = readConfig(COMPLETE);
/** How long a run may take by default: its budget, and what is under way when that is spent. */
const LONGEST_RUNS = {
  'relay-outbox': relay.budgetMs + BATCH_TIMEOUT_MS,
  'poll-queues': poll.budgetMs + endTimeoutMs(poll),
  // A statement may take as long as the whole budget, see its handler.
  'purge-events': purge.budgetMs + purge.budgetMs,
  'send-webhooks': webhooks.budgetMs + webhooks.timeoutMs + WRITE_TIMEOUT_MS,
  'follow-up-erasures': FOLLOW_UP_BUDGET_MS + MAIL_TIMEOUT_MS,
};

test.each(Object.entries(LONGEST_RUNS))(
  'Lambda does not end %s before it has said how it went',
  (name, ms) => {
    const { functions } = deployed();
    const timeoutMs = (functions[name]?.timeout ?? 0) * 1000;
    // What the poller's last calls may take has room for its statements. Of the others, one may be under way.
    const marginMs = name === 'poll-queues' ? 0 : database.statementTimeoutMs;
    expect(timeoutMs).toBeGreaterThan(ms + marginMs);
  },
);

test('by default, the database is given up before a function is: there is time to say so', () => {
  const { connectTimeoutMs, statementTimeoutMs } = readConfig(COMPLETE).database;
  const { provider, functions } = deployed();
  const shortest = Math.min(...Object.values(functions).map(({ timeout }) => timeout ?? provider.timeout));
  expect(CHECK_TIMEOUT_MS + connectTimeoutMs + statementTimeoutMs).toBeLessThan(shortest * 1000);
});
