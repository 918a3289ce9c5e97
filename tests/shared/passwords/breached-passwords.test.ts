import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handler as register } from '../../../functions/auth/register';
import { handler as changePassword } from '../../../functions/users/change-password';
import { createAdmin } from '../../../shared/accounts/create-admin';
import { assertAcceptable } from '../../../shared/passwords/acceptable';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { PASSWORD, registerPerson, registration } from '../../setup/people';

const BREACHED = 'a password of a breach';
const sha1 = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase();
const [prefix, suffix] = [sha1(BREACHED).slice(0, 5), sha1(BREACHED).slice(5)];

let ctx: TestContext;
let folder: string;
let server: Server;
let requests: IncomingMessage[];
/** What the service does with a request; null: it never answers. */
let answer: { status: number; body: string } | null;

beforeAll(async () => {
  ctx = await testContext();
  folder = await mkdtemp(join(tmpdir(), 'rollcall-breached-'));
  server = createServer((request, response) => {
    requests.push(request);
    if (answer) response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  requests = [];
  answer = { status: 200, body: `${'0'.repeat(35)}:7\r\n${suffix}:3\r\n${'F'.repeat(35)}:0` };
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
  await ctx.close();
});

const from = (breached: string) => ({
  ...ctx,
  config: { ...ctx.config, passwords: { ...ctx.config.passwords, breached } },
});
const online = () => from(`http://127.0.0.1:${(server.address() as AddressInfo).port}/range`);
async function refused(at: TestContext, password: string): Promise<boolean> {
  return assertAcceptable(at, 'password', password).then(
    () => false,
    (error) => {
      expect(error).toMatchObject({ code: 'invalid_request', details: { errors: [{ path: 'password' }] } });
      return true;
    },
  );
}

describe('a range service', () => {
  test('is told five digits of the hash, and asked to pad its answer', async () => {
    expect(await refused(online(), BREACHED)).toBe(true);
    expect(await refused(online(), 'one that is in no breach')).toBe(false);
    expect(requests.map(({ method, url }) => [method, url])).toEqual([
      ['GET', `/range/${prefix}`],
      ['GET', `/range/${sha1('one that is in no breach').slice(0, 5)}`],
    ]);
    const sent = JSON.stringify(requests.map(({ headers, url }) => ({ headers, url })));
    expect(sent).not.toContain(suffix.slice(0, 8));
    expect(requests[0]?.headers).toMatchObject({ 'add-padding': 'true', 'user-agent': 'rollcall' });
  });

  test('is not believed where the count is 0: that is padding', async () => {
    answer = { status: 200, body: `${suffix}:0` };
    expect(await refused(online(), BREACHED)).toBe(false);
  });

  test.each([
    ['answers 503', () => online(), { status: 503, body: suffix }],
    ['redirects', () => online(), { status: 302, body: '' }],
    ['never answers', () => online(), null],
    ['is not there', () => from('http://127.0.0.1:1/'), null],
  ])('that %s lets every password pass, with a line in the log', async (_what, at, given) => {
    answer = given;
    const before = ctx.logged.length;
    expect(await refused(at(), BREACHED)).toBe(false);
    const lines = ctx.logged.slice(before);
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('BREACHED_PASSWORDS') }]);
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${BREACHED}|${suffix}|${prefix}`));
  });
});

describe('a local copy', () => {
  test('as a folder has a file for each range', async () => {
    const path = join(folder, 'ranges');
    await mkdir(path);
    await writeFile(join(path, `${prefix}.txt`), `${'0'.repeat(35)}:1\r\n${suffix}:3`);
    expect(await refused(from(path), BREACHED)).toBe(true);
    expect(await refused(from(path), 'of a range that is not there')).toBe(false);
    expect(ctx.logged.at(-1)?.message).toContain('BREACHED_PASSWORDS');
  });

  test('as one file is found in by its order, from the first line to the last', async () => {
    const passwords = Array.from({ length: 300 }, (_, i) => `breached password ${i}`);
    const lines = passwords.map((password, i) => `${sha1(password)}:${10 ** (i % 8)}`).sort();
    for (const [name, newline, end] of [
      ['unix', '\n', '\n'],
      ['windows', '\r\n', ''],
    ] as const) {
      const path = join(folder, `${name}.txt`);
      await writeFile(path, lines.join(newline) + end);
      for (const password of passwords)
        expect([password, await refused(from(path), password)]).toEqual([password, true]);
      for (let i = 0; i < 100; i += 1) expect(await refused(from(path), `fine password ${i}`)).toBe(false);
    }
    expect(await refused(from(join(folder, 'nowhere.txt')), BREACHED)).toBe(false);
  });
});

test('is asked wherever a password is chosen, and not where it is given', async () => {
  const at = online();
  const made = await call(register, at, { method: 'POST', body: registration({ password: BREACHED }) });
  expect([made.status, made.body.errors[0].path]).toEqual([422, 'password']);
  const person = await registerPerson(ctx);
  const changed = await call(changePassword, at, {
    method: 'PUT',
    params: { id: 'me' },
    token: person.accessToken,
    body: { currentPassword: PASSWORD, newPassword: BREACHED },
  });
  expect([changed.status, changed.body.errors[0].path]).toEqual([422, 'newPassword']);
  await expect(createAdmin(at, registration().username, BREACHED)).rejects.toThrow(
    'from a known data breach',
  );
  expect(requests).toHaveLength(3);
});
