// `npm run serve`: the whole service as ordinary processes, for containers and plain machines: the HTTP functions behind
// node:http, relay, poller, consumers and webhooks. The code is that of the functions. `dist/serve/index.cjs`, which is
// this file and all that it needs, is what the container image runs; `index.cjs migrate` brings the database up to date.
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
  // Not when the last handle is gone: nobody promises that every timer of every driver has been taken down.
  () => process.exit(),
  (error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  },
);
