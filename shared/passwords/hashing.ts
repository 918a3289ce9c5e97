import bcrypt from 'bcryptjs';

/** How this process computes hashes. */
export interface Hashing {
  /** Runs the work, or waits for its turn if as much is under way as the process can compute. */
  limit<T>(work: () => Promise<T>): Promise<T>;
  bcrypt: {
    hash(password: string, cost: number): Promise<string>;
    compare(password: string, hash: string): Promise<boolean>;
  };
}

/** As Lambda needs it, whose containers have one request at a time: in this thread, without a limit. */
let current: Hashing = { limit: (work) => work(), bcrypt };

export function hashing(): Hashing {
  return current;
}

/** For a process that serves many requests at a time: see scripts/serve/hashing-threads.ts. */
export function useHashing(other: Hashing): void {
  current = other;
}
