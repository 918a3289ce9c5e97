import { migrateToLatest } from '../shared/db/migrate';
import { runScript } from './run';

runScript(async (ctx) => {
  const applied = await migrateToLatest(ctx.db);
  console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The schema is up to date.');
});
