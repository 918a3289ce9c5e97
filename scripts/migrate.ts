import { existsSync } from 'node:fs';
import { readConfig } from '../shared/config';
import { createContext } from '../shared/context';
import { migrateToLatest } from '../shared/db/migrate';

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const ctx = createContext(readConfig());
  try {
    const applied = await migrateToLatest(ctx.db);
    console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The schema is up to date.');
  } finally {
    await ctx.db.destroy();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.message}${causeOf(error)}` : error);
  process.exitCode = 1;
});

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `: ${error.cause.message}` : '';
}
