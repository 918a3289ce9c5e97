import { migrateToLatest } from '../shared/db/migrate';
import { runScript } from './run';

/** Migrates the database of DATABASE_URL, and prints the migrations that it applied. */
export function migrate(): Promise<void> {
  return runScript(async (ctx) => {
    const applied = await migrateToLatest(ctx.db);
    console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The schema is up to date.');
  });
}
