// How long POST /forgot-password takes for addresses that are known and for ones that are not, in turn, in random
// order, on a PostgreSQL that waits for its disk. The two must not be told apart. A round against noise: the same
// kind of address against itself.
import { randomInt } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler as forgotPassword } from '../functions/auth/forgot-password';
import { freePort } from '../local/ports';
import { startPostgres } from '../local/postgres';
import { readConfig } from '../shared/config';
import { type Context, createContext } from '../shared/context/context';
import { migrateToLatest } from '../shared/db/migrate';
import { createLog } from '../shared/log';
import { createUser } from '../shared/users/create-user';
import { httpEvent } from '../tests/setup/http-event';

const TIMES = 200;
const ROUNDS = 5;
const WARM_UP = 100;
const ORIGIN = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  await chmod(dataDir, 0o755);
  const postgres = await startPostgres(join(dataDir, 'postgres'), await freePort());
  const config = readConfig({
    DATABASE_URL: postgres.url,
    RABBITMQ_URL: 'amqp://unused',
    JWT_SECRET: 'a secret of the benchmark, long enough',
    RATE_LIMITS: 'off',
  });
  const ctx = createContext(config, createLog('silent'));
  try {
    await migrateToLatest(ctx.db);
    const known = await registerMany(ctx, 2 * TIMES);
    const unknown = known.map((email) => `no-${email}`);
    const halves = <T>(list: T[]): [T[], T[]] => [list.slice(0, TIMES), list.slice(TIMES)];
    await compare(ctx, known.slice(0, WARM_UP), unknown.slice(0, WARM_UP));

    console.log(`POST /forgot-password, medians of ${TIMES}, in ms`);
    const differences: number[] = [];
    const noise: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [a, b] = await compare(ctx, known.slice(0, TIMES), unknown.slice(0, TIMES));
      const [c, d] = await compare(ctx, ...halves(known));
      differences.push(b / a - 1);
      noise.push(d / c - 1);
      console.log(
        `  known ${a.toFixed(3)}  unknown ${b.toFixed(3)}  difference ${percent(b / a - 1)}` +
          `   noise: known against known ${percent(d / c - 1)}`,
      );
    }
    console.log(
      `  median of ${ROUNDS} rounds: ${percent(median(differences))}   noise: ${percent(median(noise))}`,
    );
  } finally {
    await ctx.db.destroy();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function registerMany(ctx: Context, count: number): Promise<string[]> {
  const emails = Array.from({ length: count }, (_, index) => `user${index}@example.com`);
  for (const [index, email] of emails.entries()) {
    const input = {
      username: `user${index}`,
      email,
      displayName: null,
      metadata: {},
      role: 'user',
    };
    await ctx.db.transaction().execute((tx) => createUser(tx, ctx, 'relay', input, ORIGIN));
  }
  return emails;
}

/** @returns the two medians, measured in one random order */
async function compare(ctx: Context, first: string[], second: string[]): Promise<[number, number]> {
  // As the relay would have: what was asked for before is sent.
  await ctx.db.deleteFrom('dispatch').execute();
  const handler = forgotPassword.in(() => ctx);
  const calls = [
    ...first.map((email) => ({ email, group: 0 as const })),
    ...second.map((email) => ({ email, group: 1 as const })),
  ];
  const times: [number[], number[]] = [[], []];
  while (calls.length > 0) {
    const [call] = calls.splice(randomInt(calls.length), 1);
    if (!call) break;
    const event = httpEvent({ method: 'POST', path: '/forgot-password', body: { email: call.email } });
    const startedAt = performance.now();
    const { statusCode } = await handler(event);
    times[call.group].push(performance.now() - startedAt);
    if (statusCode !== 202) throw new Error(`Answered ${statusCode}`);
  }
  return [median(times[0]), median(times[1])];
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

void main();
