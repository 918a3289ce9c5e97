// How long a failed login takes, by what is behind the name: nobody, or a user whose hash is by either algorithm and costs
// less than, as much as or more than the configured one. In random order. Names whose times are the same cannot be told
// apart by them.
import { randomInt } from 'node:crypto';
import { handler as login } from '../functions/auth/login';
import { hasArgon2 } from '../shared/argon2';
import { hashPassword } from '../shared/passwords/hash';
import { setPassword } from '../shared/passwords/password-store';
import { createUser } from '../shared/users/create-user';
import { httpEvent } from '../tests/setup/http-event';
import { benchEnvironment } from './environment';

const TIMES = Number(process.env['BENCH_TIMES'] ?? 60);
/** Argon2 hashes of other systems, of no password that anybody tries. */
const importedArgon2 = (parameters: string) =>
  `$argon2id$v=19$${parameters}$c29tZXNhbHRzb21lc2FsdA$${'A'.repeat(43)}`;
const ORIGIN = { actorId: null, address: null, userAgent: null, requestId: null, traceparent: null };

async function main(): Promise<void> {
  const { ctx, servers, close } = await benchEnvironment();
  const off = { ...ctx, config: { ...ctx.config, rateLimits: { ...ctx.config.rateLimits, enabled: false } } };
  const handler = login.in(() => off);
  const kinds = ['nobody'];
  const measure = async (what: string) => {
    const times = new Map(kinds.map((name) => [name, { wall: [] as number[], cpu: [] as number[] }]));
    const calls = kinds.flatMap((name) => Array<string>(TIMES).fill(name));
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
        `  ${name.padEnd(16)} ${median(wall).toFixed(1).padStart(7)}   processor ${median(cpu).toFixed(1)}`,
      );
    }
  };
  try {
    const { algorithm, bcryptCost } = ctx.config.passwords;
    console.log(
      `POST /login with a wrong password, Node.js ${process.version}, PASSWORD_HASH=${algorithm}, BCRYPT_COST=${bcryptCost}, ${servers}`,
    );
    const add = async (username: string, hash: string) => {
      const input = { username, email: null, displayName: null, metadata: {}, role: 'user' };
      await ctx.db.transaction().execute(async (tx) => {
        const { user } = await createUser(tx, ctx, 'relay', input, ORIGIN);
        await setPassword(tx, user.id, { hash });
      });
      kinds.push(username);
    };
    const bcryptOf = async (cost: number) =>
      (await hashPassword('the right password', { algorithm: 'bcrypt', bcryptCost: cost })).hash;
    await add('configured', (await hashPassword('the right password', ctx.config.passwords)).hash);
    await measure('All hashes as configured');
    for (const cost of [4, 8, 10]) await add(`bcrypt-${cost}`, await bcryptOf(cost));
    await measure('With hashes by bcrypt that are not upgraded yet');
    if (hasArgon2()) {
      await add('argon2-4-mib', importedArgon2('m=4096,t=3,p=1'));
      await add('argon2-64-mib', importedArgon2('m=65536,t=3,p=4'));
      await measure('With imported hashes by Argon2');
    }
    await add('bcrypt-12', await bcryptOf(12));
    await measure('With an imported hash by bcrypt that costs more');
  } finally {
    await close();
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

void main();
