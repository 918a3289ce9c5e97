import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../local/ports';

const run = promisify(execFile);
const BIN = process.env['RABBITMQ_BIN'] ?? '/usr/lib/rabbitmq/bin';

/** A RabbitMQ node of the suite's own, to be killed and starved without anybody else noticing. */
export interface RabbitNode {
  url: string;
  start(): Promise<void>;
  /** `kill -9` of the Erlang machine: no goodbye, and nothing flushed that was not flushed before. */
  kill(): Promise<void>;
  ctl(...args: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** @throws where RabbitMQ is not installed, saying how to install it */
export async function createRabbitNode(home: string): Promise<RabbitNode> {
  if (!existsSync(join(BIN, 'rabbitmq-server'))) {
    throw new Error(
      `The fault suite needs RabbitMQ, and ${BIN}/rabbitmq-server is not there. On Debian: apt-get install rabbitmq-server. Elsewhere set RABBITMQ_BIN to its folder.`,
    );
  }
  const [port, distPort, epmdPort] = await Promise.all([freePort(), freePort(), freePort()]);
  await mkdir(home, { recursive: true });
  await writeFile(
    join(home, 'rabbitmq.conf'),
    // On loopback only.
    `listeners.tcp.local = 127.0.0.1:${port}\n`,
  );
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    RABBITMQ_NODENAME: `rollcall-faults-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
  };
  const listens = (at: number) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(at, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  const ctl = async (...args: string[]) => {
    await run(join(BIN, 'rabbitmqctl'), ['--node', env.RABBITMQ_NODENAME, ...args], { env });
  };

  async function start(): Promise<void> {
    spawn(join(BIN, 'rabbitmq-server'), { cwd: home, env, stdio: 'ignore', detached: true }).unref();
    const end = performance.now() + 60_000;
    while (!(await listens(port))) {
      if (performance.now() > end) throw new Error(`RabbitMQ does not start: see ${env.RABBITMQ_LOG_BASE}`);
      await wait(100);
    }
  }
  async function killListener(at: number): Promise<void> {
    while (await listens(at)) {
      // Looked for again each time: a process whose files change meanwhile can be overlooked.
      const pid = listenerOf(at);
      if (pid !== null) process.kill(pid, 'SIGKILL');
      await wait(20);
    }
  }
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    start,
    kill: () => killListener(port),
    ctl,
    stop: async () => {
      await killListener(port);
      // It outlives the node that started it.
      await killListener(epmdPort);
    },
  };
}

/** The process that listens on a TCP port of this machine: the socket's inode, looked up among everybody's files. */
function listenerOf(port: number): number | null {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === '0A')
      .map((columns) => `socket:[${columns[9]}]`),
  );
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const file of readdirSync(`/proc/${pid}/fd`)) {
        if (inodes.includes(readlinkSync(`/proc/${pid}/fd/${file}`))) return Number(pid);
      }
    } catch {
      // Gone meanwhile, or not ours to look into.
    }
  }
  return null;
}
