/**
 * For a process that hashes by Argon2: all its threads allocate from one heap of glibc, which returns the 19 MiB of a hash
 * to the system. By default every thread of libuv keeps some, over 100 MB in all. Other C libraries ignore it.
 */
export const RETURN_MEMORY = { MALLOC_ARENA_MAX: '1' };

/**
 * Limits what a process has just created, which lives for milliseconds, to 4 MB. Node.js would let it grow to 32 MB, and to 64
 * from version 24 on, at no measurable gain.
 */
export const SMALL_HEAP = '--max-semi-space-size=2';
