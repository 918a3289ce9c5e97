import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** To the server on this data directory: its first process, then all that it has started. */
export function signalPostgres(dataDir: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const first = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  // Stopped first, it starts no more of them while they are looked for.
  process.kill(first, signal);
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // proc(5): the name, in parentheses, may hold anything; the parent is the second field behind it.
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(parent) === first) process.kill(Number(pid), signal);
    } catch {
      // Gone meanwhile.
    }
  }
}
