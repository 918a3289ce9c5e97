import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readConfig } from '../shared/config';
import { type Context, createContext, withLongTimeouts } from '../shared/context/context';
import { explain } from './explain';

/** Runs a script on the database of DATABASE_URL (environment or .env), and prints a clear message if it fails. */
export async function runScript(work: (ctx: Context) => Promise<void>): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    const ctx = createContext(withLongTimeouts(readConfig(scriptEnvironment())));
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

/** A script neither publishes nor signs, so it does not require the variables for that. */
function scriptEnvironment(): NodeJS.ProcessEnv {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  return { RABBITMQ_URL: 'amqp://unused.invalid', JWT_SECRET: randomBytes(32).toString('hex'), ...given };
}
