import { argon2, argon2Sync } from 'node:crypto';
import { promisify } from 'node:util';

/** Argon2 (RFC 9106, version 0x13) by Node.js. `memory` is in KiB. */
export interface Argon2Parameters {
  message: string | Buffer;
  nonce: Buffer;
  memory: number;
  passes: number;
  parallelism: number;
  tagLength: number;
  secret?: Buffer;
  associatedData?: Buffer;
}

export type Argon2Algorithm = 'argon2id' | 'argon2i' | 'argon2d';

// Node.js has these since 24.7. @types/node has them not, because it describes the oldest supported version.
declare module 'node:crypto' {
  const argon2:
    | ((
        algorithm: Argon2Algorithm,
        parameters: Argon2Parameters,
        callback: (error: Error | null, tag: Buffer) => void,
      ) => void)
    | undefined;
  const argon2Sync: ((algorithm: Argon2Algorithm, parameters: Argon2Parameters) => Buffer) | undefined;
}

let available: boolean | undefined;

/** Whether this Node.js computes Argon2. Tries it once, because a build with another OpenSSL has a function that throws. */
export function hasArgon2(): boolean {
  available ??= canCompute();
  return available;
}

function canCompute(): boolean {
  const smallest = {
    message: '',
    nonce: Buffer.alloc(8),
    memory: 8,
    passes: 1,
    parallelism: 1,
    tagLength: 4,
  };
  try {
    return argon2Sync?.('argon2id', smallest) !== undefined;
  } catch {
    return false;
  }
}

/** Computes a tag on one of libuv's threads. @throws Error unless `hasArgon2` */
export async function computeArgon2(
  algorithm: Argon2Algorithm,
  parameters: Argon2Parameters,
): Promise<Buffer> {
  if (!argon2) throw new Error('This Node.js has no Argon2');
  return promisify(argon2)(algorithm, parameters);
}
