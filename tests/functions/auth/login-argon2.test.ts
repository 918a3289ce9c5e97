// Logins where some hashes are by Argon2. Node.js 20 cannot compute it: there, such a login must not look like a wrong password.
import crypto from 'node:crypto';
import bcrypt from 'bcryptjs';
import { handler as login } from '../../../functions/auth/login';
import { handler as register } from '../../../functions/auth/register';
import { handler as changePassword } from '../../../functions/users/change-password';
import { hasArgon2 } from '../../../shared/argon2';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson, registration } from '../../setup/people';

/** By Python's argon2-cffi. */
const HASH_OF_PASSWORD =
  '$argon2id$v=19$m=65536,t=3,p=4$rjqdheBni35/BfiYWsm7jQ$S8ZU2xsSTlnNYsW93tw3yATGlz2C2cdbGeCaVbqwerM';
const OURS = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

/** A database of its own: what it contains decides what a failed login costs. */
let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext();
});
afterEach(() => ctx.close());

const hashing = (algorithm: 'argon2id' | 'bcrypt', bcryptCost = 4): TestContext => ({
  ...ctx,
  config: { ...ctx.config, passwords: { ...ctx.config.passwords, algorithm, bcryptCost } },
});
const logIn = (at: TestContext, name: object, password = PASSWORD) =>
  call(login, at, { method: 'POST', path: '/login', body: { ...name, password } });
const hashOf = async (id: string) =>
  (await ctx.db.selectFrom('passwords').select('hash').where('user_id', '=', id).executeTakeFirstOrThrow())
    .hash;

/** So many different characters, of three or four bytes each. */
const letters = (count: number, first = 0x4e00) =>
  String.fromCodePoint(...Array.from({ length: count }, (_, index) => first + index));

/** A user with this hash. */
async function personWith(hash: string): Promise<{ id: string; name: object; accessToken: string }> {
  const { user, accessToken } = await registerPerson(ctx);
  await ctx.db.updateTable('passwords').set({ hash }).where('user_id', '=', user.id).execute();
  return { id: user.id, name: { username: user.username }, accessToken };
}

if (hasArgon2()) {
  test('registers with 8 to 256 characters of any script, all of which count', async () => {
    for (const password of ['ミュンヘン市役所', letters(256), `${letters(128)}${letters(128, 0x1f400)}`]) {
      const { user } = await registerPerson(hashing('argon2id'), { password });
      expect(await hashOf(user.id)).toMatch(OURS);
      const name = { username: user.username };
      const statuses = [password, [...password].slice(0, -1).join(''), `${password}!`].map(
        async (each) => (await logIn(hashing('argon2id'), name, each)).status,
      );
      expect(await Promise.all(statuses)).toEqual([200, 401, 401]);
    }
    const body = registration({ password: letters(257) });
    const { status, body: problem } = await call(register, hashing('argon2id'), { method: 'POST', body });
    expect([status, problem.errors]).toEqual([
      422,
      [{ path: 'password', message: 'must be at most 256 characters' }],
    ]);
  });

  test('a login upgrades a hash by bcrypt, and one by Argon2 that costs less; a wrong password does not', async () => {
    const weak =
      '$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$p8snraY4FMA3x8zR7rNlYRTcXy0s2oABJaB2vmLSZsM';
    for (const [hash, password] of [
      [await bcrypt.hash(PASSWORD, 4), PASSWORD],
      [weak, 'Müde Käfer-9 \u200d🐞'],
    ] as const) {
      const { id, name } = await personWith(hash);
      expect((await logIn(hashing('argon2id'), name, 'wrong password')).status).toBe(401);
      expect(await hashOf(id)).toBe(hash);
      expect((await logIn(hashing('argon2id'), name, password)).status).toBe(200);
      const upgraded = await hashOf(id);
      expect(upgraded).toMatch(OURS);
      expect((await logIn(hashing('argon2id'), name, password)).status).toBe(200);
      expect(await hashOf(id)).toBe(upgraded);
    }
  });

  test('a hash that costs more than ours stays', async () => {
    const { id, name } = await personWith(HASH_OF_PASSWORD);
    expect((await logIn(hashing('argon2id'), name)).status).toBe(200);
    expect(await hashOf(id)).toBe(HASH_OF_PASSWORD);
  });

  test('with bcrypt configured, a login leaves a hash by bcrypt, unless the password is too long for it', async () => {
    for (const [password, form] of [
      [PASSWORD, /^\$2b\$04\$/],
      [letters(25), OURS],
    ] as const) {
      const { user } = await registerPerson(hashing('argon2id'), { password });
      const name = { username: user.username };
      expect((await logIn(hashing('bcrypt'), name, password)).status).toBe(200);
      expect(await hashOf(user.id)).toMatch(form);
      expect((await logIn(hashing('bcrypt'), name, password)).status).toBe(200);
    }
  });

  test('a wrong password costs the same for nobody and for every user, whatever their hash', async () => {
    const names: object[] = [{ username: 'nobody' }, { email: 'nobody@example.com' }];
    const work = async (at: TestContext, name: object, password: string) => {
      const compare = jest.spyOn(bcrypt, 'compare');
      const argon2 = jest.spyOn(crypto, 'argon2' as 'scrypt');
      expect((await logIn(at, name, password)).status).toBe(401);
      const rounds = compare.mock.calls.reduce((sum, [, hash]) => sum + 2 ** bcrypt.getRounds(hash), 0);
      const passes = argon2.mock.calls.reduce((sum, [, parameters]) => {
        const { memory, passes } = Object(parameters);
        return sum + memory * passes;
      }, 0);
      compare.mockRestore();
      argon2.mockRestore();
      // What makes up for a cheaper hash is whole KiB: a few are too much.
      return [rounds, Math.floor(passes / 16) * 16];
    };
    const expectWork = async (at: TestContext, expected: [number, number]) => {
      for (const name of names) {
        expect([name, await work(at, name, 'wrong password')]).toEqual([name, expected]);
        // Not composed, it is compared twice.
        const twice = expected.map((one) => one * 2);
        expect([name, await work(at, name, 'u\u0308'.repeat(9))]).toEqual([name, twice]);
      }
    };
    await expectWork(hashing('argon2id'), [0, 38_912]);
    await expectWork(hashing('bcrypt', 5), [2 ** 5, 0]);

    const { user } = await registerPerson(hashing('argon2id'));
    names.push({ username: user.username });
    await expectWork(hashing('argon2id'), [0, 38_912]);
    names.push((await personWith(await bcrypt.hash(PASSWORD, 4))).name);
    names.push((await personWith(await bcrypt.hash(PASSWORD, 6))).name);
    await expectWork(hashing('argon2id'), [2 ** 6, 38_912]);
    await expectWork(hashing('bcrypt', 7), [2 ** 7, 38_912]);
    names.push((await personWith(HASH_OF_PASSWORD)).name);
    await expectWork(hashing('argon2id'), [2 ** 6, 65_536 * 3]);
  });
} else {
  test('without Argon2, a user with such a hash gets 503, and so does every failed login', async () => {
    const before = await registerPerson(ctx);
    expect((await logIn(ctx, { username: 'nobody' })).status).toBe(401);

    const { id, name, accessToken } = await personWith(HASH_OF_PASSWORD);
    const answers = [
      await logIn(ctx, name),
      await logIn(ctx, name, 'wrong password'),
      await logIn(ctx, { username: 'nobody' }),
      await logIn(ctx, { username: before.user.username }, 'wrong password'),
    ];
    for (const { status, body } of answers) expect([status, body.code]).toEqual([503, 'unavailable']);
    expect(JSON.stringify(ctx.logged)).toContain('cannot compute: run 24.7 or later');
    expect((await logIn(ctx, { username: before.user.username })).status).toBe(200);
    expect(await hashOf(id)).toBe(HASH_OF_PASSWORD);

    const change = { currentPassword: PASSWORD, newPassword: 'another fine password' };
    const reply = await call(changePassword, ctx, {
      method: 'PUT',
      params: { id: 'me' },
      token: accessToken,
      body: change,
    });
    expect([reply.status, reply.body.code]).toEqual([503, 'unavailable']);
  });
}

test('while bcrypt hashes, more than its 72 bytes are refused and never cut', async () => {
  const reply = await call(register, hashing('bcrypt'), {
    method: 'POST',
    body: registration({ password: letters(25) }),
  });
  expect([reply.status, reply.body.errors]).toEqual([
    422,
    [{ path: 'password', message: 'must be at most 72 bytes of UTF-8' }],
  ]);
  expect((await registerPerson(hashing('bcrypt'), { password: letters(24) })).user.version).toBe(1);
});
