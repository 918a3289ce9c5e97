import { createBroker } from '../../shared/broker/connection';
import { readConfig } from '../../shared/config';
import { createContext } from '../../shared/context/context';
import { createLog, type LogFields } from '../../shared/log';
import { createPublisher, type PublishingContext } from '../../shared/outbox/publisher';
import { brokerUrl, declare, deleteTopology, uniqueNames } from './broker';
import { createTestDatabase, type TestDatabase } from './database';

export interface TestContext extends PublishingContext {
  /** What was logged, parsed. */
  logged: (LogFields & { message: string })[];
  /** The clock: what `now` returns. Moved by tests, never by time. */
  clock: { now: Date };
  close(): Promise<void>;
}

/**
 * A real database and the real broker, a clock that stands still, cheap hashes, and a log to look into.
 * @param environment variables that differ from a test's usual ones
 * @param database in the place of a migrated one
 */
export async function testContext(
  environment: Record<string, string> = {},
  database?: TestDatabase,
): Promise<TestContext> {
  database ??= await createTestDatabase();
  const config = readConfig({
    DATABASE_URL: database.url,
    DATABASE_POOL_SIZE: '10',
    // A machine that does other things as well may be slow: that is no fault of the database.
    DATABASE_CONNECT_TIMEOUT_MS: '20000',
    DATABASE_STATEMENT_TIMEOUT_MS: '20000',
    DATABASE_LOCK_TIMEOUT_MS: '20000',
    RABBITMQ_URL: brokerUrl(),
    // Nor of the broker: publishing would pause, and the tests' clock stands still.
    PUBLISH_DEADLINE_MS: '30000',
    JWT_SECRET: 'a secret of the tests, long enough',
    ENCRYPTION_KEYS: Buffer.alloc(32, 'k').toString('base64'),
    PASSWORD_HASH: 'bcrypt',
    BCRYPT_COST: '4',
    // A suite registers more people than one address may; the tests of the limits turn them on.
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'debug',
    QUEUE_TYPE: 'classic',
    ...uniqueNames(),
    ...environment,
  });
  const logged: TestContext['logged'] = [];
  const base = createContext(
    config,
    createLog(config.logLevel, (line) => void logged.push(JSON.parse(line))),
  );
  const clock = { now: new Date() };
  await declare(config.events);
  const ctx = {
    ...base,
    now: () => new Date(clock.now),
    broker: createBroker(config.broker.url, 'rollcall-test', base.log),
  };
  return {
    ...ctx,
    publisher: createPublisher(ctx),
    logged,
    clock,
    close: async () => {
      await ctx.broker.close().catch(() => ctx.broker.discard());
      await ctx.db.destroy();
      await deleteTopology(config.events);
      await database.drop();
    },
  };
}
