import { createAdmin } from '../shared/accounts/create-admin';
import { readConfig } from '../shared/config';
import { createContext, withLongTimeouts } from '../shared/context/context';
import { migrateToLatest } from '../shared/db/migrate';
import type { LocalSettings } from './settings';

/** Migrates the database and creates the administrator. @returns the password; null if the administrator exists */
export async function prepareDatabase(
  environment: NodeJS.ProcessEnv,
  settings: LocalSettings,
): Promise<string | null> {
  const ctx = createContext(withLongTimeouts(readConfig(environment)));
  try {
    await migrateToLatest(ctx.db);
    return await createAdmin(ctx, settings.adminUsername, settings.adminPassword);
  } finally {
    await ctx.db.destroy();
  }
}
