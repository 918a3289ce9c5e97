import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { ROOT } from '../scripts/function-files';
import { HASH_MEMORY, SMALL_HEAP } from '../scripts/serve/memory';

const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ChildListener {
  /** A line of a function's own log, which is JSON. All of the output goes to `<dataDir>/functions.log`. */
  onLogLine(line: string): void;
  /** The process ended by itself. */
  onExit(reason: string): void;
}

/** A process that serves the functions. Exits when this one does: its IPC channel closes. */
export interface Child {
  process: ChildProcess;
  /** Resolves when it answers requests. @throws Error if it does not */
  answers(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param name for messages
 * @param command a file that Node.js runs, and its arguments
 */
export async function startChild(
  name: string,
  command: string[],
  { httpPort, dataDir }: { httpPort: number; dataDir: string },
  environment: NodeJS.ProcessEnv,
  listener: ChildListener,
): Promise<Child> {
  const logFile = join(dataDir, 'functions.log');
  await mkdir(dataDir, { recursive: true });
  const child = spawn(process.execPath, [SMALL_HEAP, ...command], {
    cwd: ROOT,
    env: { ...HASH_MEMORY, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const tail = readOutput(child, logFile, listener.onLogLine);
  let asked = false;
  let exited = false;
  child.once('exit', (code) => {
    exited = true;
    if (!asked)
      listener.onExit(
        `${name} ended (${code}); its last lines, the rest is in ${logFile}:\n${tail.join('\n')}`,
      );
  });

  return {
    process: child,
    answers: async () => {
      const end = performance.now() + START_TIMEOUT_MS;
      while (!exited && !(await isAnswered(httpPort))) {
        if (performance.now() > end) throw new Error(`${name} does not respond: see ${logFile}`);
        await wait(20);
      }
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
function readOutput(child: ChildProcess, logFile: string, onLogLine: ChildListener['onLogLine']): string[] {
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
