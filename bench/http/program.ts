import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_AGAIN_MS = 5;
const START_TIMEOUT_MS = 120_000;

export interface Program {
  pid: number;
  /** From the start of the process to its first answer over HTTP, of any status. */
  startMs: number;
  /** As Ctrl-C does: the signal goes to all processes of the group. */
  stop(): Promise<void>;
}

/**
 * Starts a program that serves HTTP, and waits for its first answer.
 * @param directory the program's working directory without an .env file, and for its output
 * @throws Error with the end of its output if it ends before
 */
export async function startProgram(
  [command, ...args]: [string, ...string[]],
  environment: Record<string, string>,
  port: number,
  directory: string,
  cwd: string = directory,
): Promise<Program> {
  const logFile = join(directory, 'output.log');
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exit = once(child, 'exit');
  exit.catch(() => {});
  while (!(await answers(port))) {
    if (hasEnded(child) || performance.now() - startedAt > START_TIMEOUT_MS) {
      signalGroup(child, 'SIGKILL');
      const output = (await readFile(logFile, 'utf8')).split('\n').slice(-20).join('\n');
      throw new Error(`${command} ${args.join(' ')} does not answer:\n${output}`);
    }
    await wait(LOOK_AGAIN_MS);
  }
  return {
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    stop: async () => {
      if (!hasEnded(child)) {
        signalGroup(child, 'SIGINT');
        await exit;
      }
      log.end();
    },
  };
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/users/me`);
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function signalGroup({ pid = 0 }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of its processes have ended.
  }
}
