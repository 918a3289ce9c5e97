// `npm run serve`: runs the whole service in ordinary processes, for containers and plain machines: the HTTP functions behind
// node:http, relay, poller, consumers and webhooks, with the functions' own code. The container image runs
// `dist/serve/index.cjs`, the bundle of this file; `index.cjs migrate` migrates the database.
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import { explain } from './explain';
import { migrate } from './migrate-database';
import { runProcess } from './serve/process';
import { superviseProcesses } from './serve/processes';
import { readServeSettings } from './serve/settings';

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  if (process.argv[2] === 'migrate') return migrate();
  const settings = readServeSettings(process.env, process.argv[2]);
  if (settings.processes > 1 && cluster.isPrimary) await superviseProcesses(settings);
  else await runProcess(settings);
}

main().then(
  // Exit explicitly: a driver may leave a timer running.
  () => process.exit(),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
