import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Directories that this process has locked: its own pid in a lock file can be that of an earlier process. */
const held = new Set<string>();

/** Locks a data directory, and returns the function that unlocks it. Throws if another live broker has locked it. */
export function lockDirectory(directory: string): () => void {
  const path = join(realpathSync(directory), 'lock');
  const refuse = (pid: number) =>
    Object.assign(new Error(`data directory ${directory} is in use by another broker (process ${pid})`), {
      code: 'EDATADIRINUSE',
    });
  if (held.has(path)) throw refuse(process.pid);
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  for (;;) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    if (holder && isAlive(holder.pid, holder.start)) throw refuse(holder.pid);
    rmSync(path, { force: true });
  }
  held.add(path);
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

function readHolder(path: string): { pid: number; start: string } | undefined {
  try {
    const [pid = '', start = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return /^\d+$/.test(pid) ? { pid: Number(pid), start } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number, start: string): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process exists, but belongs to another user.
    if (errorCode(error) !== 'EPERM') return false;
  }
  return startOf(pid) === start;
}

/** When a process started, if the system tells: after a reboot another process may have its pid. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

/** The code of a system error. Not by `instanceof`: under Jest, Node's errors come from another realm. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
