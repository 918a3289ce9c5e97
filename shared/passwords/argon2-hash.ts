import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type Argon2Algorithm, computeArgon2 } from '../argon2';

/** Memory in KiB, and passes over it. Their product determines the time. */
export interface Argon2Cost {
  memory: number;
  passes: number;
}

export interface Argon2Hash extends Argon2Cost {
  algorithm: Argon2Algorithm;
  parallelism: number;
  salt: Buffer;
  tag: Buffer;
}

/** The cost of new hashes: OWASP's minimum for Argon2id (Password Storage Cheat Sheet). */
export const ARGON2_COST: Argon2Cost = { memory: 19_456, passes: 2 };

const ALGORITHMS: readonly Argon2Algorithm[] = ['argon2id', 'argon2i', 'argon2d'];
/** Version 0x13 alone, which is what Node.js computes, and no secret and no data. */
const PHC =
  /^\$(argon2id?|argon2d)\$v=19\$m=(\d{1,8}),t=(\d{1,8}),p=(\d{1,8})\$([A-Za-z\d+/]+)\$([A-Za-z\d+/]+)$/;

/** Parses a hash in the PHC string format. @returns null if it is not an Argon2 hash */
export function parseArgon2(hash: string): Argon2Hash | null {
  const [, name, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(hash) ?? [];
  const algorithm = ALGORITHMS.find((one) => one === name);
  if (!algorithm) return null;
  return {
    algorithm,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** @returns a PHC string. @throws Error unless `hasArgon2` */
export async function hashArgon2(password: string): Promise<string> {
  const { memory, passes } = ARGON2_COST;
  const salt = randomBytes(16);
  const tag = await compute(password, salt, ARGON2_COST);
  return `$argon2id$v=19$m=${memory},t=${passes},p=1$${unpadded(salt)}$${unpadded(tag)}`;
}

/** @throws Error unless `hasArgon2` */
export async function matchesArgon2(password: string, hash: Argon2Hash): Promise<boolean> {
  const { algorithm, parallelism, salt, tag } = hash;
  return timingSafeEqual(tag, await compute(password, salt, hash, algorithm, parallelism, tag.length));
}

/** Takes the time of a hash of this cost, less `done` (KiB × passes). @throws Error unless `hasArgon2` */
export async function spendArgon2(password: string, cost: Argon2Cost, done: number): Promise<void> {
  const rest = cost.memory * cost.passes - done;
  if (rest <= 0) return;
  const passes = Math.ceil(rest / cost.memory);
  await compute(password, Buffer.alloc(16), { memory: Math.max(8, Math.ceil(rest / passes)), passes });
}

/** Whether the algorithm or the cost is weaker than that of new hashes. */
export function isWeakerArgon2({ algorithm, memory, passes }: Argon2Hash): boolean {
  return (
    algorithm !== 'argon2id' ||
    memory < ARGON2_COST.memory ||
    workOf({ memory, passes }) < workOf(ARGON2_COST)
  );
}

export const workOf = ({ memory, passes }: Argon2Cost) => memory * passes;

function compute(
  message: string,
  nonce: Buffer,
  { memory, passes }: Argon2Cost,
  algorithm: Argon2Algorithm = 'argon2id',
  parallelism = 1,
  tagLength = 32,
): Promise<Buffer> {
  return computeArgon2(algorithm, { message, nonce, memory, passes, parallelism, tagLength });
}

/** Base64 as PHC strings have it. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
