import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../scripts/function-files';
import { RETURN_MEMORY, SMALL_HEAP } from '../scripts/serve/memory';

const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 10_000;

export interface Offline {
  /** Resolves when it answers requests. @throws Error if it does not */
  answers(): Promise<void>;
  /** Replaces the functions that run in its process. @throws Error if they cannot be loaded; then those before go on */
  load(bundle: string): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  httpPort: number;
  lambdaPort: number;
  dataDir: string;
  /** Runs each concurrent call of a function in a thread, with the function's own bundle, instead of what `load` brings. */
  threads: boolean;
  /** Disables the functions' time-outs, for tests: unlike in the cloud, a container's start counts here. */
  noTimeout?: boolean;
}

export interface Listener {
  /** A line of a function's own log, which is JSON. All of the output goes to `<dataDir>/functions.log`. */
  onLogLine(line: string): void;
  /** The console asks for a fault. @returns false if there is none of that name */
  onFault(fault: string): Promise<boolean>;
  /** The process ended by itself. */
  onExit(reason: string): void;
}

/** Starts serverless-offline in a process of its own. */
export async function startOffline(
  options: Options,
  environment: NodeJS.ProcessEnv,
  listener: Listener,
): Promise<Offline> {
  const logFile = join(options.dataDir, 'functions.log');
  await mkdir(options.dataDir, { recursive: true });
  const child = spawn(
    process.execPath,
    [
      SMALL_HEAP,
      require.resolve('serverless/bin/serverless.js'),
      ...['offline', 'start'],
      ...['--host', '127.0.0.1', '--httpPort', String(options.httpPort)],
      ...['--lambdaPort', String(options.lambdaPort), '--noSponsor'],
      ...(options.threads ? [] : ['--useInProcess']),
      ...(options.noTimeout ? ['--noTimeout'] : []),
    ],
    // An IPC channel carries the bundles to load, and its end tells the child that this process is gone.
    { cwd: ROOT, env: { ...RETURN_MEMORY, ...environment }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const tail = readOutput(child, logFile, listener.onLogLine);
  let onLoaded: (failure: string | null) => void = () => {};
  child.on('message', (message: { failure: string | null } | { fault: string }) => {
    if ('failure' in message) return onLoaded(message.failure);
    void listener.onFault(message.fault).then((injected) => child.send({ injected }));
  });
  let asked = false;
  let exited = false;
  child.once('exit', (code) => {
    exited = true;
    if (!asked)
      listener.onExit(
        `serverless-offline ended (${code}); its last lines, the rest is in ${logFile}:\n${tail.join('\n')}`,
      );
  });

  return {
    answers: async () => {
      const end = performance.now() + START_TIMEOUT_MS;
      while (!exited && !(await isAnswered(options.httpPort))) {
        if (performance.now() > end) throw new Error(`serverless-offline does not respond: see ${logFile}`);
        await wait(20);
      }
    },
    load: async (bundle) => {
      const loaded = new Promise<string | null>((resolve) => {
        onLoaded = resolve;
      });
      child.send({ bundle });
      const failure = await loaded;
      if (failure !== null) throw new Error(`The functions fail when they are loaded: ${failure}`);
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

async function isAnswered(port: number): Promise<boolean> {
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
