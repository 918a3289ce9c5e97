import { readdirSync, readFileSync } from 'node:fs';

/** Of a process and all its descendants. */
export interface Usage {
  /** User and system time since each process's start, of ended children too. */
  cpuMs: number;
  rssMb: number;
  /** Like RSS, but memory that several processes share is counted once. */
  pssMb: number;
  processes: number;
}

/** Linux counts processor time in hundredths of a second for programs, whatever the kernel was built with. */
const TICK_MS = 10;

/** @returns null where there is no /proc, as on macOS: these figures are then left out */
export function usageOf(roots: number[]): Usage | null {
  const all = readProcesses();
  if (!all) return null;
  const usage: Usage = { cpuMs: 0, rssMb: 0, pssMb: 0, processes: 0 };
  const pending = [...roots];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    const found = all.get(pid);
    if (!found) continue;
    const { rssMb, pssMb } = memoryOf(pid);
    usage.cpuMs += found.cpuMs;
    usage.rssMb += rssMb;
    usage.pssMb += pssMb;
    usage.processes += 1;
    pending.push(...found.children);
  }
  return usage;
}

interface ProcessEntry {
  cpuMs: number;
  children: number[];
}

function readProcesses(): Map<number, ProcessEntry> | null {
  const all = new Map<number, ProcessEntry>();
  const parents = new Map<number, number>();
  for (const name of listProc()) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readProc(`/proc/${pid}/stat`);
    // proc_pid_stat(5): the name, which may contain spaces, is in parentheses; from field 3 on, there are only single words.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
    all.set(pid, { cpuMs: (utime + stime + cutime + cstime) * TICK_MS, children: [] });
    parents.set(pid, Number(fields[1]));
  }
  for (const [pid, parent] of parents) all.get(parent)?.children.push(pid);
  return all.size > 0 ? all : null;
}

function memoryOf(pid: number): { rssMb: number; pssMb: number } {
  const text = readProc(`/proc/${pid}/smaps_rollup`);
  const megabytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { rssMb: megabytes('Rss'), pssMb: megabytes('Pss') };
}

function listProc(): string[] {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

/** The empty text if the process has ended meanwhile. */
function readProc(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
