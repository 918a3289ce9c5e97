// `npm run reset`: drops what the embedded servers keep, so that the next start begins from nothing.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

if (existsSync('.env')) process.loadEnvFile('.env');
const dataDir = resolve(process.env.DATA_DIR || '.local');

function isRunning() {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

if (isRunning()) {
  console.error('Rollcall is still running on this data: stop it first with Ctrl-C.');
  process.exit(1);
}
// Only what Rollcall has put there: DATA_DIR may be anything.
for (const name of ['postgres', 'amqp', 'jwt-secret', 'functions.log']) {
  rmSync(join(dataDir, name), { recursive: true, force: true });
}
console.log(`Dropped the data in ${dataDir}.`);
