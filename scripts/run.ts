import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readConfig } from '../shared/config';
import { type Context, createContext } from '../shared/context';

/** Where PostgreSQL says that a table is not there (undefined_table). */
const NO_SUCH_TABLE = '42P01';

/** Runs what works on the database of DATABASE_URL, of the environment or of .env, and ends with a clear message. */
export async function runScript(work: (ctx: Context) => Promise<void>): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    const ctx = createContext(readConfig(scriptEnvironment()));
    try {
      await work(ctx);
    } finally {
      await ctx.db.destroy();
    }
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

/** A script neither publishes nor signs: it should not ask for what that takes. */
function scriptEnvironment(): NodeJS.ProcessEnv {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  return { RABBITMQ_URL: 'amqp://unused.invalid', JWT_SECRET: randomBytes(32).toString('hex'), ...given };
}

function explain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const hint = 'code' in error && error.code === NO_SUCH_TABLE ? '. Run first: npm run migrate' : '';
  // Of a connection refused by several addresses, Node.js puts everything into the parts.
  const message = error.message || (error instanceof AggregateError && String(error.errors[0])) || error.name;
  return `${message}${cause}${hint}`;
}
