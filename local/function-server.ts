import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../scripts/function-files';

const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 5_000;

export interface FunctionServer {
  /** Reloads the functions' bundles. */
  reload(): void;
  stop(): Promise<void>;
}

interface Options {
  httpPort: number;
  lambdaPort: number;
  dataDir: string;
  /** Disables the functions' time-outs, for tests: unlike in the cloud, a container's start counts here. */
  noTimeout?: boolean;
}

interface Listener {
  /** A line of a function's own log, which is JSON. All of the output goes to `<dataDir>/functions.log`. */
  onLogLine(line: string): void;
  /** The process ended by itself. */
  onExit(reason: string): void;
}

/** serverless-offline in a process of its own. */
export async function serveFunctions(
  options: Options,
  environment: NodeJS.ProcessEnv,
  listener: Listener,
): Promise<FunctionServer> {
  const logFile = join(options.dataDir, 'functions.log');
  await mkdir(options.dataDir, { recursive: true });
  const child = spawn(
    process.execPath,
    [
      require.resolve('serverless/bin/serverless.js'),
      'offline',
      ...['--host', '127.0.0.1', '--httpPort', String(options.httpPort)],
      ...['--lambdaPort', String(options.lambdaPort), '--noSponsor'],
      ...(options.noTimeout ? ['--noTimeout'] : []),
    ],
    // An IPC channel carries the order to reload, and its end tells the child that this process is gone.
    { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const tail = readOutput(child, logFile, listener.onLogLine);
  let asked = false;
  let exited = false;
  child.once('exit', (code) => {
    exited = true;
    if (!asked)
      listener.onExit(
        `serverless-offline ended (${code}); its last lines, the rest is in ${logFile}:\n${tail.join('\n')}`,
      );
  });

  const end = performance.now() + START_TIMEOUT_MS;
  while (!exited && !(await answers(options.httpPort))) {
    if (performance.now() > end) throw new Error(`serverless-offline does not respond: see ${logFile}`);
    await wait(50);
  }
  return {
    reload: () => {
      child.send('reload');
    },
    stop: async () => {
      asked = true;
      if (exited) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exit;
      clearTimeout(timer);
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/health`);
    return true;
  } catch {
    return false;
  }
}

/** @returns the last lines, kept up to date */
function readOutput(child: ChildProcess, logFile: string, onLogLine: Listener['onLogLine']): string[] {
  const log = createWriteStream(logFile);
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`);
      tail.push(line);
      if (tail.length > 20) tail.shift();
      if (line.startsWith('{')) onLogLine(line);
    });
  }
  return tail;
}
