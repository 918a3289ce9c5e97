import bcrypt from 'bcryptjs';
import { handler as login } from '../../../functions/auth/login';
import { handler as register } from '../../../functions/auth/register';
import { handler as stepUp } from '../../../functions/auth/step-up';
import { handler as changePassword } from '../../../functions/users/change-password';
import { handler as getMe } from '../../../functions/users/get-me';
import { handler as updateUser } from '../../../functions/users/update-user';
import { changeLockedPassword } from '../../../shared/passwords/change-locked-password';
import { hashPassword } from '../../../shared/passwords/hash';
import { replaceHash } from '../../../shared/passwords/password-store';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { eventsOf } from '../../setup/events';
import { call } from '../../setup/http';
import { outcomesOf } from '../../setup/outbox';
import { logInAdmin, PASSWORD, type Person, registerPerson, registration } from '../../setup/people';

let ctx: TestContext;
let limited: TestContext;
beforeAll(async () => {
  [ctx, limited] = await Promise.all([testContext(), testContext({ RATE_LIMITS: 'on' })]);
});
afterAll(() => Promise.all([ctx.close(), limited.close()]));

const logIn = (at: TestContext, body: unknown, more = {}) =>
  call(login, at, { method: 'POST', path: '/login', body, ...more });
const hashOf = async (id: string) =>
  (await ctx.db.selectFrom('passwords').select('hash').where('user_id', '=', id).executeTakeFirstOrThrow())
    .hash;

test('opens a session by username or email address, whatever their case', async () => {
  const { user } = await registerPerson(ctx, { username: 'Gorden', email: 'Gorden@example.com' });
  for (const name of [{ username: 'gORDEN' }, { email: 'gordeN@EXAMPLE.com' }]) {
    const answer = await logIn(ctx, { ...name, password: PASSWORD });
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.body).toEqual({
      user,
      accessToken: expect.any(String),
      refreshToken: expect.stringMatching(/^[\w-]{43}$/),
      tokenType: 'Bearer',
      expiresIn: 900,
    });
    const me = await call(getMe, ctx, { token: answer.body.accessToken });
    expect(me.body).toEqual({ ...user, permissions: [] });
  }
  const rows = await ctx.db.selectFrom('events').selectAll().where('subject', '=', user.id).execute();
  expect(rows.map(({ type, sequence }) => [type, sequence])).toEqual([
    ['user.created', '0000000001'],
    ['session.created', '0000000001.0000000001'],
    ['session.created', '0000000001.0000000002'],
  ]);
  expect(rows[1]).toMatchObject({ actor_id: user.id, address: '192.0.2.1' });
  expect((await outcomesOf(ctx, user.id))[1]).toMatchObject({ published_at: null });
});

test('takes the spaces off a name, and an international address in each of its forms', async () => {
  const { user } = await registerPerson(ctx, {
    email: `idn${registration().email}`.replace('example', 'bücher'),
  });
  const names = [
    { username: `${user.username} ` },
    { email: `${user.email} ` },
    { email: user.email?.toUpperCase() },
    { email: user.email?.replace('bücher', 'XN--bcher-kva') },
  ];
  for (const name of names) {
    const answer = await logIn(ctx, { ...name, password: PASSWORD });
    expect([name, answer.status, answer.body.user]).toEqual([name, 200, user]);
  }
});

test('any wrong pair is the same answer', async () => {
  const { user } = await registerPerson(ctx);
  const answers = await Promise.all([
    logIn(ctx, { username: user.username, password: 'wrong password' }),
    logIn(ctx, { username: user.username, password: PASSWORD.toUpperCase() }),
    logIn(ctx, { email: user.email, password: 'x'.repeat(1000) }),
    logIn(ctx, { username: 'nobody', password: PASSWORD }),
    logIn(ctx, { email: 'nobody', password: PASSWORD }),
  ]);
  const [first] = answers.map(({ body }) => ({ ...body, requestId: '' }));
  for (const answer of answers) {
    expect([answer.status, { ...answer.body, requestId: '' }]).toEqual([401, first]);
    expect(answer.body.code).toBe('invalid_credentials');
  }
  expect(await eventsOf(ctx, user.id)).toEqual(['user.created']);
});

test.each([
  ['neither name', { password: 'x' }, ''],
  ['both names', { username: 'a', email: 'b', password: 'x' }, ''],
  ['no password', { username: 'a' }, 'password'],
  ['an empty password', { username: 'a', password: '' }, 'password'],
  ['an unknown field', { username: 'a', password: 'x', role: 'admin' }, 'role'],
  ['an object for a name', { username: { $ne: null }, password: 'x' }, 'username'],
])('refuses %s', async (_name, body, path) => {
  const answer = await logIn(ctx, body);
  expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
  expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
});

test('a prefix of 72 bytes is not the password', async () => {
  const password = 'a fine password, '.repeat(5).slice(0, 72);
  const { user } = await registerPerson(ctx, { password });
  expect((await logIn(ctx, { username: user.username, password })).status).toBe(200);
  expect((await logIn(ctx, { username: user.username, password: `${password}x` })).status).toBe(401);
});

test('upgrades a hash that costs less than configured, once, and never down', async () => {
  const { user } = await registerPerson(ctx);
  const at = (bcryptCost: number) => ({
    ...ctx,
    config: { ...ctx.config, passwords: { ...ctx.config.passwords, bcryptCost } },
  });
  await logIn(at(5), { username: user.username, password: 'wrong password' });
  expect(bcrypt.getRounds(await hashOf(user.id))).toBe(4);
  expect((await logIn(at(5), { username: user.username, password: PASSWORD })).body.user.version).toBe(1);
  const upgraded = await hashOf(user.id);
  expect(bcrypt.getRounds(upgraded)).toBe(5);
  await logIn(at(4), { username: user.username, password: PASSWORD });
  expect(await hashOf(user.id)).toBe(upgraded);
});

test('knows a password in each form that a device may send it in', async () => {
  const password = 'M\u00fcde K\u00e4fer-9';
  const { user } = await registerPerson(ctx, { password });
  const forms = [password, password.normalize('NFD'), password.replace(' ', '\u00a0'), `${password}!`];
  const answers = await Promise.all(
    forms.map((form) => logIn(ctx, { username: user.username, password: form })),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 401]);
});

test('takes an older hash of the password as it was typed, and makes it one of its prepared form', async () => {
  const typed = 'M\u00fcde-K\u00e4fer-9'.normalize('NFD');
  const { user } = await registerPerson(ctx);
  const byHash = async (hash: string) => {
    await ctx.db.updateTable('passwords').set({ hash }).where('user_id', '=', user.id).execute();
  };
  await byHash(await bcrypt.hash(typed, 4));
  const status = async (password: string) => (await logIn(ctx, { username: user.username, password })).status;
  expect(await status(typed.normalize('NFC'))).toBe(401);
  expect(await status(typed)).toBe(200);
  expect(await status(typed.normalize('NFC'))).toBe(200);
  // Too long for bcrypt when it is composed (U+0958 is two characters then): it stays as it is.
  const long = '\u0958'.repeat(24);
  await byHash(await bcrypt.hash(long, 4));
  expect([await status(long), await status(long)]).toEqual([200, 200]);
});

test('of two at once that upgrade the hash, both are right', async () => {
  const { user } = await registerPerson(ctx);
  const upgraded = await bcrypt.hash(PASSWORD, 5);
  const { answer } = await ctx.db.transaction().execute(async (tx) => {
    expect(await replaceHash(tx, user.id, await hashOf(user.id), upgraded)).toBe(true);
    // Has checked the old hash, and waits for the row.
    const answer = logIn(ctx, { username: user.username, password: PASSWORD });
    await untilLockIsAwaited(ctx);
    return { answer };
  });
  expect((await answer).status).toBe(200);
  expect(await hashOf(user.id)).toBe(upgraded);
});

describe('the work for a wrong password', () => {
  /** How many rounds of bcrypt a failed login makes. */
  async function rounds(at: TestContext, name: object, password = 'wrong password'): Promise<number> {
    const compare = jest.spyOn(bcrypt, 'compare');
    expect((await logIn(at, { ...name, password })).status).toBe(401);
    const done = compare.mock.calls.reduce((sum, [, hash]) => sum + 2 ** bcrypt.getRounds(hash), 0);
    compare.mockRestore();
    return done;
  }
  let six: TestContext;
  beforeAll(async () => {
    six = await testContext({ BCRYPT_COST: '6' });
  });
  afterAll(() => six.close());

  async function withCost(cost: number): Promise<object> {
    const { user } = await registerPerson(six);
    const hash = await bcrypt.hash(PASSWORD, cost);
    await six.db.updateTable('passwords').set({ hash }).where('user_id', '=', user.id).execute();
    return { username: user.username };
  }

  test('is the same for nobody and for every user, whatever their hash costs', async () => {
    const users = [await withCost(4), await withCost(5), await withCost(6)];
    for (const name of [{ username: 'nobody' }, { email: 'nobody@example.com' }, ...users]) {
      expect(await rounds(six, name)).toBe(2 ** 6);
    }
    // Not composed, it is compared twice: for everybody.
    for (const name of [{ username: 'nobody' }, ...users])
      expect(await rounds(six, name, 'u\u0308'.repeat(9))).toBe(2 ** 7);
  });

  test('is that for the most expensive hash, where one has been imported that costs more than configured', async () => {
    const names = [{ username: 'nobody' }, await withCost(4), await withCost(6), await withCost(8)];
    for (const name of names) expect(await rounds(six, name)).toBe(2 ** 8);
  });
});

describe('its limits', () => {
  const wrong = (name: object, address = '198.51.100.1') =>
    logIn(limited, { ...name, password: 'wrong password' }, { address });
  const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort();
  let block = 0;
  /** An address that no other test uses. */
  const somewhere = () => {
    block += 1;
    return `203.0.113.${block}`;
  };

  async function lock(name: object) {
    const address = somewhere();
    for (let i = 0; i < 10; i += 1) expect((await wrong(name, address)).status).toBe(401);
    return wrong(name, address);
  }

  test('a locked account and a name that nobody has look the same', async () => {
    const { user } = await registerPerson(limited);
    const answers = [
      await lock({ username: user.username }),
      await lock({ username: 'nobody_at_all' }),
      await lock({ email: 'nobody@example.com' }),
    ];
    const [first] = answers.map(({ body }) => ({ ...body, requestId: '' }));
    for (const answer of answers) {
      expect([answer.status, { ...answer.body, requestId: '' }]).toEqual([429, first]);
      expect([answer.body.code, answer.headers['retry-after']]).toEqual(['rate_limited', '900']);
    }
  });

  test('hold for the right password too, until their time is over', async () => {
    const { user } = await registerPerson(limited);
    const now = limited.clock.now;
    await lock({ username: user.username });
    const right = () =>
      logIn(limited, { username: user.username.toUpperCase(), password: PASSWORD }, { address: somewhere() });
    expect((await right()).status).toBe(429);
    limited.clock.now = new Date(now.getTime() + 900_000);
    expect((await right()).status).toBe(200);
    limited.clock.now = now;
  });

  test('do not tell which email address belongs to a username', async () => {
    const { user } = await registerPerson(limited);
    await lock({ username: user.username });
    expect((await wrong({ email: user.email }, somewhere())).status).toBe(401);
  });

  test('keep nobody out where they have been logged in before', async () => {
    const address = somewhere();
    const body = registration();
    await call(register, limited, { method: 'POST', body, address });
    await lock({ username: body.username });
    const right = { username: body.username, password: PASSWORD };
    expect((await logIn(limited, right, { address })).status).toBe(200);
    expect((await logIn(limited, right, { address })).status).toBe(200);
    expect((await logIn(limited, right, { address: somewhere() })).status).toBe(429);
    // Guesses from there have a budget of their own, and no more than that.
    for (let i = 0; i < 10; i += 1) await wrong({ username: body.username }, address);
    expect((await logIn(limited, right, { address })).status).toBe(429);
  });

  test('know an IPv6 line by its /64, not by the address of the day', async () => {
    const body = registration();
    await call(register, limited, { method: 'POST', body, address: '2001:db8:7:7::1' });
    await lock({ username: body.username });
    const right = { username: body.username, password: PASSWORD };
    const at = async (address: string) => (await logIn(limited, right, { address })).status;
    expect([await at('2001:DB8:7:7:aaaa:bbbb:cccc:dddd'), await at('2001:db8:7:8::1')]).toEqual([200, 429]);
  });

  test('are the same at an address that the user is known at, so that nobody there learns who has an account', async () => {
    const address = somewhere();
    const body = registration();
    await call(register, limited, { method: 'POST', body, address });
    await lock({ username: body.username });
    await lock({ username: 'not_a_user' });
    for (let i = 0; i < 12; i += 1) {
      const user = await wrong({ username: body.username }, address);
      const nobody = await wrong({ username: 'not_a_user' }, address);
      for (const answer of [user, nobody]) {
        expect([answer.status, answer.headers['retry-after']]).toEqual([429, '900']);
      }
      expect({ ...user.body, requestId: '' }).toEqual({ ...nobody.body, requestId: '' });
    }
  });

  test('leave 50 guesses in a day at each of the two names, 100 at a user', async () => {
    const { user } = await registerPerson(limited);
    const now = limited.clock.now;
    let guesses = 0;
    for (const name of [{ username: user.username }, { email: user.email }]) {
      for (let quarter = 0; quarter < 12; quarter += 1) {
        limited.clock.now = new Date(limited.clock.now.getTime() + 900_000);
        for (let i = 0; i < 11; i += 1) {
          if ((await wrong(name, somewhere())).status === 401) guesses += 1;
        }
      }
    }
    limited.clock.now = now;
    expect(guesses).toBe(100);
  });

  test('end with a new password, whoever has set it', async () => {
    const { user } = await registerPerson(limited);
    const admin = await logInAdmin(limited);
    await lock({ username: user.username });
    await lock({ email: user.email });
    const password = 'quite another password';
    const set = await call(changePassword, limited, {
      method: 'PUT',
      params: { id: user.id },
      token: admin.accessToken,
      body: { newPassword: password },
    });
    expect(set.status).toBe(204);
    for (const name of [{ username: user.username }, { email: user.email }]) {
      expect((await logIn(limited, { ...name, password }, { address: somewhere() })).status).toBe(200);
    }
  });

  test('count the guesses of whoever has an access token with those at the login', async () => {
    const [thief, owner] = [await registerPerson(limited), await registerPerson(limited)];
    const guess = ({ accessToken: token }: Person, password: string) =>
      call(stepUp, limited, { method: 'POST', token, body: { password } });
    for (let i = 0; i < 10; i += 1) expect((await guess(thief, 'wrong password')).status).toBe(401);
    const rename = { method: 'PUT', params: { id: 'me' }, body: { username: registration().username } };
    await call(updateUser, limited, { ...rename, token: thief.accessToken });
    expect((await guess(thief, PASSWORD)).status).toBe(429);
    for (let i = 0; i < 10; i += 1) await guess(owner, 'wrong password');
    const elsewhere = { username: owner.user.username, password: PASSWORD };
    expect((await logIn(limited, elsewhere, { address: somewhere() })).status).toBe(429);
  });

  test('let whoever is logged in prove their password while others have it slowed down', async () => {
    const { user, accessToken: token } = await registerPerson(limited);
    await lock({ username: user.username });
    const body = { password: PASSWORD };
    expect((await call(stepUp, limited, { method: 'POST', token, body })).status).toBe(200);
  });

  test('count no login that succeeds', async () => {
    const { user } = await registerPerson(limited);
    const address = somewhere();
    for (let i = 0; i < 15; i += 1) {
      const answer = await logIn(limited, { username: user.username, password: PASSWORD }, { address });
      expect(answer.status).toBe(200);
    }
    expect(await lock({ username: user.username })).toMatchObject({ status: 429 });
  });

  test('50 guesses at once are 10', async () => {
    const { user } = await registerPerson(limited);
    const address = somewhere();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => wrong({ username: user.username }, address)),
    );
    expect(statuses(answers)).toEqual([...Array(10).fill(401), ...Array(40).fill(429)]);
  });

  test('100 tries from an address are all, whoever is tried, and use up nobody’s budget after that', async () => {
    const address = somewhere();
    const { user } = await registerPerson(limited);
    for (let i = 0; i < 100; i += 1) await wrong({ username: `nobody_${i}` }, address);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => wrong({ username: user.username }, address)),
    );
    expect(statuses(answers)).toEqual(Array(20).fill(429));
    const right = { username: user.username, password: PASSWORD };
    expect((await logIn(limited, right, { address: somewhere() })).status).toBe(200);
  });
});

test('an address registers 100 people in an hour, and an administrator as many as they like', async () => {
  const few = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_REGISTER_ADDRESS: '2/3600' });
  const admin = await logInAdmin(few);
  const make = (more = {}) => call(register, few, { method: 'POST', body: registration(), ...more });
  expect([(await make()).status, (await make()).status]).toEqual([201, 201]);
  const third = await make();
  expect([third.status, third.body.code, third.headers['retry-after']]).toEqual([
    429,
    'rate_limited',
    '3600',
  ]);
  expect((await make({ token: admin.accessToken })).status).toBe(201);
  expect((await make({ address: '2001:db8::1' })).status).toBe(201);
  expect((await make({ address: '2001:db8::2' })).status).toBe(201);
  expect((await make({ address: '2001:db8::3' })).status).toBe(429);
  await few.close();
});

test('is refused where the password changes between the check and the session', async () => {
  const { user } = await registerPerson(ctx);
  const newPassword = await hashPassword('another password', ctx.config.passwords);
  const { answer } = await ctx.db.transaction().execute(async (tx) => {
    await changeLockedPassword(tx, user, newPassword, ctx.now());
    // Sees the old hash, and then waits for the row that this transaction holds.
    const answer = logIn(ctx, { username: user.username, password: PASSWORD });
    await untilLockIsAwaited(ctx);
    return { answer };
  });
  const { status, body } = await answer;
  expect([status, body.code]).toEqual([401, 'invalid_credentials']);
});
