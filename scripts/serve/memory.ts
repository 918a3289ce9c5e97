/**
 * Variables for a process that hashes by Argon2: glibc returns the 19 MiB of a hash to the system after each one. By default
 * every thread of libuv keeps some, over 100 MB in all. Costs a fifth more time; other C libraries ignore it.
 */
export const RETURN_MEMORY = { MALLOC_MMAP_THRESHOLD_: String(16 * 1024 * 1024) };
