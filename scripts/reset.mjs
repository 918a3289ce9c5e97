// `npm run reset`: deletes the data of the embedded servers, so that the next start begins empty.
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
  console.error('Rollcall is still running on this data: stop it with Ctrl-C first.');
  process.exit(1);
}
// Delete only Rollcall's own files: DATA_DIR may be any folder.
for (const name of ['postgres', 'amqp', 'jwt-secret', 'functions.log']) {
  rmSync(join(dataDir, name), { recursive: true, force: true });
}
console.log(`Deleted the data in ${dataDir}.`);
