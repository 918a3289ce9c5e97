// Invoked by a deployment before the new code serves: migrates the database.
import { containerContext, withLongTimeouts } from '../../shared/context/context';
import { migrateToLatest } from '../../shared/db/migrate';

export async function handler(): Promise<{ applied: string[] }> {
  const ctx = containerContext(withLongTimeouts);
  const applied = await migrateToLatest(ctx.db);
  ctx.log.info('The schema is up to date', { applied });
  return { applied };
}
