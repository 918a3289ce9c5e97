/**
 * Variables for glibc's allocator; other C libraries ignore them. A process that hashes by Argon2 returns the 19 MiB of a
 * hash to the system after each one, where every thread of libuv would keep some, over 100 MB in all; that costs a fifth more
 * time. And all threads allocate from one heap, because those that each of them would have stay large after one busy moment.
 */
export const RETURN_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: String(16 * 1024 * 1024),
  MALLOC_ARENA_MAX: '1',
};
