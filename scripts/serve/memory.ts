/**
 * For a process that hashes by Argon2: all its threads allocate from one heap of glibc, which returns the 19 MiB of a hash
 * to the system. By default every thread of libuv keeps some, over 100 MB in all. Other C libraries ignore it.
 */
export const RETURN_MEMORY = { MALLOC_ARENA_MAX: '1' };

/** V8 otherwise keeps up to 96 MiB for new objects, of which these processes need little. */
export const SMALL_HEAP = '--max-semi-space-size=2';
