// `npm run serve`: runs the whole service in ordinary processes, for containers and plain machines: the HTTP functions behind
// node:http, relay, poller, consumers and webhooks, with the functions' own code. The container image runs
// `dist/serve/index.cjs`, the bundle of this file; `index.cjs migrate` migrates the database, and
// `index.cjs admin:create` creates an administrator.
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { createAdministrator } from './create-administrator';
import { explain } from './explain';
import { migrate } from './migrate-database';
import { restartWithHashMemory } from './serve/memory';
import { superviseProcesses } from './serve/processes';
import { readServeSettings } from './serve/settings';

async function main(): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  // Before the secrets of .env are in the environment, which a restart shows to `ps`.
  if (command !== 'migrate' && command !== 'admin:create') restartWithHashMemory();
  if (existsSync('.env')) process.loadEnvFile('.env');
  if (command === 'migrate') return migrate();
  if (command === 'admin:create') return createAdministrator('node index.cjs admin:create', args);
  const settings = readServeSettings(process.env, command);
  if (settings.processes > 1 && cluster.isPrimary) await superviseProcesses(settings);
  else {
    // Only here, so that the process that supervises the others does not load the service.
    const { runProcess } = await import('./serve/process');
    await runProcess(settings);
  }
}

main().then(
  // Exit explicitly: a driver may leave a timer running.
  () => process.exit(),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
