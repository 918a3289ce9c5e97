import { accessSync, constants } from 'node:fs';
import { hasArgon2 } from '../../shared/argon2';

/**
 * For a process that hashes by Argon2. Other C libraries than glibc ignore it.
 *
 * - All threads allocate from one heap, which returns the 19 MiB of a hash to the system. By default every thread of libuv
 *   keeps some, over 100 MB in all.
 * - The heap is made of huge pages, where the system permits that on request. Argon2 goes through its memory at random, and
 *   small pages take the processor longer to find. From glibc 2.35 on; older versions ignore it.
 */
export const HASH_MEMORY = { MALLOC_ARENA_MAX: '1', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

/**
 * Limits what a process has just created, which lives for milliseconds, to 4 MB. Node.js would let it grow to 32 MB, and to 64
 * from version 24 on, at no measurable gain.
 */
export const SMALL_HEAP = '--max-semi-space-size=2';

// Node.js has it since 22.15, but @types/node describes the oldest supported version.
declare global {
  namespace NodeJS {
    interface Process {
      execve?(file: string, args: readonly string[], environment: ProcessEnv): never;
    }
  }
}

/**
 * Gives this process `HASH_MEMORY`, which glibc reads only at the start: the same program begins again under the same id. Does
 * nothing where that is no use, or where somebody would notice: with `MALLOC_ARENA_MAX` set, without Argon2, on other systems than Linux,
 * and for a parent that has a channel to this process.
 */
export function restartWithHashMemory(): void {
  if (process.platform !== 'linux' || 'MALLOC_ARENA_MAX' in process.env || !hasArgon2()) return;
  if (!process.execve || process.connected) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  try {
    // Where the system refuses an `execve`, Node.js ends the process and throws nothing.
    accessSync(process.execPath, constants.X_OK);
    process.execve(process.execPath, args, { ...HASH_MEMORY, ...process.env });
  } catch {
    // The program was replaced or may not be run, or Node.js's permission model forbids it: no reason not to serve.
  }
}
