// How long a failed login takes, by what is behind the name: nobody, or a user whose hash costs less than, as much as
// or more than BCRYPT_COST. In random order. Names whose times are the same cannot be told apart by them.
import { randomInt } from 'node:crypto';
import { handler as login } from '../functions/auth/login';
import { hashPassword } from '../shared/passwords/hash';
import { setPassword } from '../shared/passwords/password-store';
import { createUser } from '../shared/users/create-user';
import { httpEvent } from '../tests/setup/http-event';
import { benchEnvironment } from './environment';

const TIMES = Number(process.env['BENCH_TIMES'] ?? 60);
const COSTS = [4, 8, 10, 12];
const ORIGIN = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };

async function main(): Promise<void> {
  const { ctx, servers, close } = await benchEnvironment();
  const off = { ...ctx, config: { ...ctx.config, rateLimits: { ...ctx.config.rateLimits, enabled: false } } };
  const handler = login.in(() => off);
  const kinds = ['nobody', ...COSTS.map((cost) => `cost-${cost}`)];
  const measure = async (names: string[], what: string) => {
    const times = new Map(names.map((name) => [name, { wall: [] as number[], cpu: [] as number[] }]));
    const calls = names.flatMap((name) => Array<string>(TIMES).fill(name));
    while (calls.length > 0) {
      const [username = ''] = calls.splice(randomInt(calls.length), 1);
      const event = httpEvent({
        method: 'POST',
        path: '/login',
        body: { username, password: 'wrong password' },
      });
      const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
      const { statusCode } = await handler(event);
      const { user, system } = process.cpuUsage(cpuBefore);
      times.get(username)?.wall.push(performance.now() - startedAt);
      times.get(username)?.cpu.push((user + system) / 1000);
      if (statusCode !== 401) throw new Error(`Answered ${statusCode}`);
    }
    console.log(`\n${what}, medians of ${TIMES}, in ms`);
    for (const [name, { wall, cpu }] of times) {
      console.log(
        `  ${name.padEnd(8)} ${median(wall).toFixed(1).padStart(7)}   processor ${median(cpu).toFixed(1)}`,
      );
    }
  };
  try {
    console.log(`POST /login with a wrong password, BCRYPT_COST=${ctx.config.users.bcryptCost}, ${servers}`);
    const add = async (cost: number) => {
      const names = { username: `cost-${cost}`, email: null, displayName: null, metadata: {}, role: 'user' };
      const hashed = await hashPassword('the right password', cost);
      await ctx.db.transaction().execute(async (tx) => {
        const { user } = await createUser(tx, ctx, 'relay', names, ORIGIN);
        await setPassword(tx, user.id, hashed);
      });
    };
    for (const cost of COSTS.slice(0, -1)) await add(cost);
    await measure(kinds.slice(0, -1), 'Hashes of BCRYPT_COST and below');
    await add(12);
    await measure(kinds, 'With an imported hash that costs more');
  } finally {
    await close();
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

void main();
