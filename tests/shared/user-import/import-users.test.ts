import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler as login } from '../../../functions/auth/login';
import { hasArgon2 } from '../../../shared/argon2';
import type { Context } from '../../../shared/context/context';
import { parseEvent } from '../../../shared/events/catalog';
import { type ImportWatcher, importUsers } from '../../../shared/user-import/import-users';
import { type TestContext, testContext } from '../../setup/context';
import { untilLockIsAwaited } from '../../setup/database';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson, registration } from '../../setup/people';
import { startScript } from '../../setup/script';

/** Of the people's usual password, at cost 4. */
const HASH = '$2b$04$KrEscPr7ArC4LHma2aND5e/6gbhM/.NA/fR00FVeJQnHyTgtXnIn.';

/** The same password by Argon2, from Python's argon2-cffi. */
const ARGON2 =
  '$argon2id$v=19$m=65536,t=3,p=4$rjqdheBni35/BfiYWsm7jQ$S8ZU2xsSTlnNYsW93tw3yATGlz2C2cdbGeCaVbqwerM';

let ctx: TestContext;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-import-'));
  ctx = await testContext();
});
beforeEach(async () => {
  await ctx.db.deleteFrom('users').execute();
  await ctx.db.deleteFrom('events').execute();
  await ctx.db.deleteFrom('dispatch').execute();
});
afterAll(async () => {
  await ctx.close();
  await rm(folder, { recursive: true });
});

const person = (fields: Record<string, unknown> = {}) => {
  const { username, email } = registration();
  return { username, email, passwordHash: HASH, ...fields };
};

let files = 0;
/** An object becomes its line of JSON; text and bytes stay as they are. */
async function fileOf(...lines: unknown[]): Promise<string> {
  files += 1;
  const path = join(folder, `${files}.jsonl`);
  const bytes = lines.map((line) =>
    Buffer.isBuffer(line) ? line : Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)),
  );
  await writeFile(path, Buffer.concat(bytes.flatMap((line) => [line, Buffer.from('\n')])));
  return path;
}

async function run(path: string, options: { again?: boolean; ctx?: Context } = {}) {
  const problems: [number, string][] = [];
  const resumed: number[] = [];
  const watcher: ImportWatcher = {
    resumed: (lines) => void resumed.push(lines),
    problem: (line, message) => void problems.push([line, message]),
    progress: () => {},
  };
  const result = await importUsers(options.ctx ?? ctx, path, watcher, options.again);
  return { ...result, problems, resumed };
}

const countOf = async (table: 'users' | 'events') => {
  const row = await ctx.db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .executeTakeFirstOrThrow();
  return Number(row.n);
};

test('a user comes in with all that they had, and logs in with their password', async () => {
  const line = person({
    username: 'Gorden',
    email: 'Gorden@example.com',
    displayName: 'Gorden F.',
    metadata: { plan: 'free' },
    role: 'admin',
    emailVerified: true,
    createdAt: '2019-05-01T12:00:00+02:00',
  });
  const result = await run(await fileOf(line));
  expect(result).toMatchObject({ imported: 1, skipped: 0, bad: 0, problems: [] });

  const answer = await call(login, ctx, { method: 'POST', body: { username: 'gorden', password: PASSWORD } });
  expect(answer.status).toBe(200);
  expect(answer.body.user).toEqual({
    id: expect.any(String),
    username: 'Gorden',
    email: 'Gorden@example.com',
    emailVerified: true,
    pendingEmail: null,
    suspension: null,
    displayName: 'Gorden F.',
    metadata: { plan: 'free' },
    role: 'admin',
    createdAt: '2019-05-01T10:00:00.000Z',
    updatedAt: '2019-05-01T10:00:00.000Z',
    version: 1,
  });
});

test('what is left out has its default', async () => {
  const line = person();
  await run(await fileOf(line));
  const row = await ctx.db.selectFrom('users').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({
    email_verified: false,
    display_name: null,
    metadata: {},
    role: 'user',
    created_at: ctx.clock.now,
    version: 1,
  });
});

test('each has its user.created, for the relay at once, and no hash in it', async () => {
  const lines = [person(), person(), person()];
  await run(await fileOf(...lines));
  const rows = await ctx.db.selectFrom('events').selectAll().orderBy('position').execute();
  expect(rows.map((row) => [row.type, row.sequence, row.actor_id])).toEqual(
    Array(3).fill(['user.created', '0000000001', null]),
  );
  const unsent = await ctx.db.selectFrom('dispatch').selectAll().orderBy('position').execute();
  expect(unsent.map((row) => row.event_id)).toEqual(rows.map((row) => row.id));
  for (const row of unsent) expect(row.due_at.getTime()).toBeLessThanOrEqual(Date.now() + 1000);

  const events = await storedEvents(ctx);
  expect(events.map((event) => event.data)).toEqual(
    lines.map(({ username, email }) => ({
      id: expect.any(String),
      username,
      email,
      role: 'user',
      createdAt: ctx.clock.now.toISOString(),
    })),
  );
  for (const event of events) {
    expect(parseEvent(Buffer.from(JSON.stringify(event)))).toEqual(event);
    expect(JSON.stringify(event)).not.toContain(HASH);
  }
});

describe('hashes', () => {
  test.each(['$2a', '$2b', '$2y'])('%s works', async (version) => {
    const line = person({ passwordHash: version + HASH.slice(3) });
    await run(await fileOf(line));
    const stored = await ctx.db.selectFrom('passwords').select('hash').executeTakeFirstOrThrow();
    expect(stored.hash.slice(0, 3)).toBe(version === '$2y' ? '$2b' : version);
    const body = { username: line.username, password: PASSWORD };
    expect((await call(login, ctx, { method: 'POST', body })).status).toBe(200);
  });

  test('by Argon2 work where Node.js computes it', async () => {
    const line = person({ passwordHash: ARGON2 });
    expect((await run(await fileOf(line))).bad).toBe(0);
    const body = { username: line.username, password: PASSWORD };
    const { status } = await call(login, ctx, { method: 'POST', body });
    expect(status).toBe(hasArgon2() ? 200 : 503);
  });

  test('noise in the spare bits of a salt does not lock anybody out', async () => {
    const at = 28;
    const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    const noisy = alphabet[alphabet.indexOf(HASH.charAt(at)) + 5];
    const line = person({ passwordHash: HASH.slice(0, at) + noisy + HASH.slice(at + 1) });
    expect(line.passwordHash).not.toBe(HASH);
    await run(await fileOf(line));
    const body = { username: line.username, password: PASSWORD };
    expect((await call(login, ctx, { method: 'POST', body })).status).toBe(200);
  });
});

describe('a bad line', () => {
  test.each([
    ['{"username":', 'is not valid JSON in UTF-8'],
    [Buffer.from([0x22, 0xff, 0x22]), 'is not valid JSON in UTF-8'],
    ['"text"', 'must be a JSON object'],
    ['[]', 'username is required'],
    ['null', 'must be a JSON object'],
    [{}, 'username is required; email is required; passwordHash is required'],
    [person({ username: 'two words' }), 'username must be 3 to 32'],
    [person({ email: 'nobody' }), 'email must be an email address'],
    [person({ email: null }), 'email must be a string'],
    [person({ passwordHash: 'plain text' }), 'passwordHash must be a hash by bcrypt'],
    [person({ passwordHash: HASH.replace('$2b', '$2x') }), 'passwordHash must be a hash by bcrypt'],
    [person({ passwordHash: HASH.slice(0, -1) }), 'passwordHash must be a hash by bcrypt'],
    [person({ passwordHash: HASH.replace('$04', '$31') }), 'passwordHash must have a cost from 4 to 15'],
    [person({ passwordHash: ARGON2.replace('m=65536', 'm=1048576') }), 'passwordHash must have m from 8 × p'],
    [person({ displayName: '' }), 'displayName must not be empty'],
    [person({ metadata: [] }), 'metadata must be a JSON object'],
    [person({ metadata: { a: '\0' } }), 'metadata.a must not contain U+0000'],
    [person({ role: 'wizard' }), 'role is not a known role'],
    [person({ emailVerified: 'yes' }), 'emailVerified must be true or false'],
    [person({ createdAt: 'yesterday' }), 'createdAt must be an ISO 8601 time'],
    [person({ createdAt: '2020-02-30T00:00:00Z' }), 'createdAt must be an existing date and time'],
    [person({ createdAt: '0000-01-01T00:00:00Z' }), 'createdAt must be an existing date and time'],
    [person({ createdAt: '2020-02-01T00:00:00+23:59' }), 'createdAt must be an existing date and time'],
    [person({ metadata: { n: 1e308 } }), 'metadata.n must be between'],
    [person({ createdAt: '2999-01-01T00:00:00Z' }), 'createdAt must be in the past'],
    [person({ password: 'plain text' }), 'password is not a known field'],
    [person({ id: 1, isAdmin: true }), 'id is not a known field; isAdmin is not a known field'],
    ['x'.repeat(64 * 1024 + 1), 'is longer than 65536 bytes'],
    ['x'.repeat(1024 * 1024), 'is longer than 65536 bytes'],
  ])('%#', async (line, message) => {
    const result = await run(await fileOf(person(), line, person()));
    expect(result).toMatchObject({ imported: 2, skipped: 0, bad: 1, lines: 3 });
    expect(result.problems).toEqual([[2, expect.stringContaining(message)]]);
    expect(JSON.stringify(result.problems)).not.toContain(HASH.slice(7));
    expect([await countOf('users'), await countOf('events')]).toEqual([2, 2]);
  });

  test('is no blank line, no missing last newline, no carriage return and no byte order mark', async () => {
    const path = join(folder, 'windows.jsonl');
    await writeFile(path, `\uFEFF${JSON.stringify(person())}\r\n\r\n  \n${JSON.stringify(person())}`);
    expect(await run(path)).toMatchObject({ imported: 2, bad: 0, problems: [], lines: 4 });
  });

  test('keeps its own number far into the file', async () => {
    const lines: unknown[] = Array.from({ length: 2500 }, () => person());
    lines[0] = 'first';
    lines[1700] = 'later';
    const result = await run(await fileOf(...lines));
    expect(result.problems.map(([line]) => line)).toEqual([1, 1701]);
    expect(result.imported).toBe(2498);
  });
});

test('an email may be missing where REQUIRE_EMAIL says so, but not be verified then', async () => {
  const { email: _left, ...line } = person();
  const path = await fileOf(line, person({ email: null }), person({ email: null, emailVerified: true }));
  const result = await run(path, {
    ctx: { ...ctx, config: { ...ctx.config, users: { ...ctx.config.users, requireEmail: false } } },
  });
  expect(result).toMatchObject({ imported: 2, bad: 1 });
  expect(result.problems).toEqual([[3, 'emailVerified must not be true without an email']]);
});

test('who is there already is skipped; whose name another has is bad; both keep nobody else out', async () => {
  const { user } = await registerPerson(ctx);
  const [twice, once] = [person(), person()];
  const result = await run(
    await fileOf(
      person({ username: user.username.toUpperCase(), email: user.email?.toUpperCase() }),
      person({ username: user.username }),
      person({ email: user.email }),
      twice,
      twice,
      person({ username: twice.username }),
      person({ username: once.username, email: once.email }),
    ),
  );
  expect(result.problems).toEqual([
    [1, 'skipped: this user already exists'],
    [2, 'username is taken by another user'],
    [3, 'email is taken by another user'],
    [5, 'skipped: this user already exists'],
    [6, 'username is taken by another user'],
  ]);
  expect(result).toMatchObject({ imported: 2, skipped: 2, bad: 3 });
  expect([await countOf('users'), await countOf('events')]).toEqual([3, 3]);
});

test('a finished file is not gone through again, unless that is asked for', async () => {
  const path = await fileOf(person(), person({ role: 'writer' }));
  expect(await run(path)).toMatchObject({ imported: 1, bad: 1, finishedBefore: null });
  await ctx.db.insertInto('roles').values({ name: 'writer', permissions: [] }).execute();

  const second = await run(path);
  expect(second).toMatchObject({ imported: 1, bad: 1, finishedBefore: ctx.clock.now, problems: [] });
  const third = await run(path, { again: true });
  expect(third).toMatchObject({ imported: 1, skipped: 1, bad: 0, finishedBefore: null });
  expect([await countOf('users'), await countOf('events')]).toEqual([2, 2]);
});

test('two runs of one file at once: every user once, and the slower one ends', async () => {
  const path = await fileOf(...Array.from({ length: 3000 }, () => person()));
  const outcomes = await Promise.allSettled([run(path), run(path)]);
  expect(outcomes.map(({ status }) => status)).toContain('fulfilled');
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('Another run is importing');
  }
  expect([await countOf('users'), await countOf('events')]).toEqual([3000, 3000]);
});

describe('npm run users:import', () => {
  const start = (...args: string[]) => startScript(ctx, 'scripts/import-users.ts', args);

  test('killed in the middle of a transaction, it goes on from the last one, with nobody twice or lost', async () => {
    const lines: unknown[] = Array.from({ length: 5000 }, () => person());
    const [early, stuck, late] = ['early', person(), 'late'];
    lines[10] = early;
    lines[2500] = stuck;
    lines[4000] = late;
    const path = await fileOf(...lines);

    const killed = ctx.db.transaction().execute(async (tx) => {
      // Somebody registers with a name of the third batch, and takes their time: the import waits for them there.
      await tx
        .insertInto('users')
        .values({
          id: ctx.newId(),
          username: (stuck as { username: string }).username,
          email: null,
          metadata: '{}',
          role: 'user',
          created_at: ctx.now(),
          updated_at: ctx.now(),
        })
        .execute();
      const { child, result } = start(path);
      await untilLockIsAwaited(ctx);
      child.kill('SIGKILL');
      const { stderr } = await result;
      expect(stderr).toContain('line 11: is not valid JSON');
      throw new Error('They have thought better of it');
    });
    await expect(killed).rejects.toThrow('They have thought better of it');
    expect([await countOf('users'), await countOf('events')]).toEqual([1999, 1999]);

    const { exitCode, stdout, stderr } = await start(path).result;
    expect(stderr).toContain('Resuming after line 2000');
    expect(stderr).not.toContain('line 11:');
    expect(stderr).toContain('line 4001: is not valid JSON');
    expect(stdout).toBe('4,998 imported, 0 skipped (already there), 2 bad.\n');
    expect(exitCode).toBe(1);

    expect([await countOf('users'), await countOf('events')]).toEqual([4998, 4998]);
    const users = await ctx.db.selectFrom('users').select('id').orderBy('id').execute();
    const events = await ctx.db.selectFrom('events').select('subject as id').orderBy('subject').execute();
    expect(events).toEqual(users);
  });

  test('needs no broker, shows plain lines where there is no terminal, and ends with 0', async () => {
    const path = await fileOf(...Array.from({ length: 2000 }, () => person()));
    const { exitCode, stdout, stderr } = await start(path).result;
    expect([exitCode, stdout]).toEqual([0, '2,000 imported, 0 skipped (already there), 0 bad.\n']);
    expect(stderr).toMatch(/^50 %: 1,000 lines.*\n100 %: 2,000 lines.*\n$/);

    const again = await start(path).result;
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain('was already imported');
  });

  test.each([
    [[], 'Usage: npm run users:import'],
    [['a.jsonl', 'b.jsonl'], 'Usage: npm run users:import'],
    [['--force'], 'Usage: npm run users:import'],
    [['nowhere.jsonl'], 'no such file'],
  ])('says what is wrong with %j', async (args, message) => {
    const { exitCode, stderr } = await start(...args).result;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
