import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Hashing } from '../../shared/passwords/hashing';

/** libuv has four threads by default. Argon2 must leave one to name lookups and files. */
const MAX_AT_ONCE = 3;
/** What a thread needs is a few tables; by default it may have as much memory as the process. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

type Request = { password: string; cost: number } | { password: string; hash: string };

/** Computes one request at a time. @throws Error if the thread ends before it answers */
type Thread = (request: Request) => Promise<unknown>;

/**
 * How many hashes one of so many processes computes at once: as many as there are processors for all of them together. More
 * would only take memory and caches from each other.
 */
export function hashesAtOnce(processes: number): number {
  return Math.min(Math.ceil(availableParallelism() / processes), MAX_AT_ONCE);
}

/**
 * Computes hashes beside the thread that serves: bcrypt on threads of its own, Argon2 on those of libuv. At most `atOnce`;
 * the others wait in the order in which they came. Threads start when they are first needed, and keep the process alive
 * only while they compute. One that ends is replaced, and its request computed again.
 */
export function createHashing(atOnce = hashesAtOnce(1)): Hashing & { close(): Promise<void> } {
  const idle: Thread[] = [];
  const workers = new Set<Worker>();
  // Who has a place finds an idle thread, or fewer threads than places.
  const onThread = (request: Request) => (idle.pop() ?? startThread(idle, workers))(request);
  const compute = (request: Request) => onThread(request).catch(() => onThread(request));
  return {
    limit: createLimit(atOnce),
    bcrypt: {
      hash: async (password, cost) => String(await compute({ password, cost })),
      compare: async (password, hash) => (await compute({ password, hash })) === true,
    },
    close: async () => {
      await Promise.all([...workers].map((worker) => worker.terminate()));
    },
  };
}

function createLimit(places: number): Hashing['limit'] {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return async (work) => {
    if (taken < places) taken += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the one that has waited longest.
      const next = waiting.shift();
      if (next) next();
      else taken -= 1;
    }
  };
}

function startThread(idle: Thread[], workers: Set<Worker>): Thread {
  // Without the options of this process, such as a loader for TypeScript.
  const worker = new Worker(join(__dirname, 'bcrypt-thread.cjs'), { execArgv: [], resourceLimits: LIMITS });
  workers.add(worker);
  let job: { resolve: (answer: unknown) => void; reject: (error: Error) => void } | null = null;
  let reason = new Error('A thread that computes bcrypt has ended');
  const thread: Thread = (request) =>
    new Promise((resolve, reject) => {
      job = { resolve, reject };
      worker.ref();
      worker.postMessage(request);
    });
  worker.on('message', (answer) => {
    worker.unref();
    idle.push(thread);
    job?.resolve(answer);
    job = null;
  });
  worker.on('error', (error) => {
    reason = error;
  });
  worker.on('exit', () => {
    workers.delete(worker);
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
    job?.reject(reason);
  });
  return thread;
}
