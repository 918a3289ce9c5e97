import { migrateToLatest } from '../shared/db/migrate';
import { runScript } from './run';

/** Brings the database of DATABASE_URL up to date, and says what that took. */
export function migrate(): Promise<void> {
  return runScript(async (ctx) => {
    const applied = await migrateToLatest(ctx.db);
    console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The schema is up to date.');
  });
}
