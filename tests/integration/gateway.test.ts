// What `npm start` answers is what API Gateway and Lambda answer: HEAD, CORS, functions that fail, and who may invoke one.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../../local/ports';
import { documented } from '../setup/openapi';
import { registration } from '../setup/people';
import { eventually, type Service, startService } from '../setup/service';

const ORIGIN = 'https://app.example.com';
const OF_THE_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'accept-ranges'];

describe('the service', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ CORS_ORIGINS: ORIGIN, TRUSTED_PROXIES: '127.0.0.0/8, 203.0.113.0/24' });
  });
  afterAll(() => service.stop());

  const routes = documented
    .filter(({ method }) => method === 'get')
    .map(({ path }) => path.replace(/\{\w+\}/g, '01890000-0000-7000-8000-000000000000'));
  // hapi would compress the content of GET.
  const headers = { 'accept-encoding': 'identity' };

  test.each(routes)('HEAD %s is what GET is, without the content', async (path) => {
    for (const token of [undefined, service.adminToken]) {
      const [get, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => service.request(path, { method, headers, ...(token && { token }) })),
      );
      expect(head?.body).toBeUndefined();
      expect(head?.status).toBe(get?.status);
      const names = (all = {}) => Object.keys(all).filter((name) => !OF_THE_CONNECTION.includes(name));
      expect(names(head?.headers).sort()).toEqual(names(get?.headers).sort());
      for (const name of ['content-type', 'content-encoding', 'cache-control', 'etag', 'www-authenticate']) {
        expect(head?.headers[name]).toBe(get?.headers[name]);
      }
    }
  });

  test('HEAD says how long the content of GET is', async () => {
    const head = await service.request('/openapi.json', { method: 'HEAD', headers });
    const get = await fetch(`${service.url}/openapi.json`, { headers });
    const { byteLength } = await get.arrayBuffer();
    expect(head.headers['content-length']).toBe(String(byteLength));
  });

  test.each(['/health', '/users', '/users/me', '/nowhere'])(
    '%s is no route of another method',
    async (path) => {
      for (const method of ['PATCH', 'PROPFIND']) {
        const answer = await service.request(path, { method, token: service.adminToken });
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
      }
      expect((await service.request('/nowhere', { method: 'HEAD' })).status).toBe(404);
    },
  );

  const ask = (path: string, method: string, origin: string) =>
    fetch(service.url + path, {
      method,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });

  test.each(['/login', '/health', '/users/me', '/nowhere'])(
    'the preflight of %s is 204, and names the allowed origin alone',
    async (path) => {
      const allowed = await ask(path, 'OPTIONS', ORIGIN);
      expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, ORIGIN]);
      expect(allowed.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
      for (const origin of ['https://evil.example', 'null']) {
        const other = await ask(path, 'OPTIONS', origin);
        expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([204, null]);
      }
      expect(allowed.headers.has('access-control-allow-credentials')).toBe(false);
    },
  );

  test('an answer names the allowed origin alone, and allows no credentials', async () => {
    const allowed = await ask('/health', 'GET', ORIGIN);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('access-control-expose-headers')).toContain('x-request-id');
    const other = await ask('/health', 'GET', 'https://evil.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    for (const { headers } of [allowed, other]) {
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      expect(headers.get('vary')).toContain('origin');
    }
  });

  test('says strict-transport-security over https only', async () => {
    const proto = (headers: Record<string, string>) => service.request('/health', { headers });
    expect((await proto({})).headers).not.toHaveProperty('strict-transport-security');
    expect((await proto({ 'x-forwarded-proto': 'https' })).headers['strict-transport-security']).toBe(
      'max-age=31536000; includeSubDomains',
    );
  });

  test('sessions and the audit log have the address that the trusted proxies name', async () => {
    const forwarded = { 'x-forwarded-for': '10.9.8.7, 198.51.100.23, 203.0.113.9' };
    const { body } = await service.request('/register', {
      method: 'POST',
      body: registration(),
      headers: forwarded,
    });
    const sessions = await service.request('/users/me/sessions', { token: body.accessToken });
    expect(sessions.body.sessions).toEqual([expect.objectContaining({ address: '198.51.100.23' })]);
    const audit = await eventually(
      () => service.request(`/audit?subject=${body.user.id}`, { token: service.adminToken }),
      (answer) => answer.body.entries.length > 0,
    );
    expect(audit.body.entries[0].address).toBe('198.51.100.23');
  });

  test('an odd cookie is no reason to refuse a request', async () => {
    const answer = await service.request('/health', { headers: { cookie: 'a="b; =; x' } });
    expect(answer.status).toBe(200);
  });
});

describe('functions that fail', () => {
  let directory: string;
  let child: ChildProcess;
  let url: string;
  let lambdaPort: number;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rollcall-gateway-'));
    await symlink(resolve('node_modules'), join(directory, 'node_modules'));
    await symlink(resolve('local'), join(directory, 'local'));
    await mkdir(join(directory, 'dist'));
    await writeFile(
      join(directory, 'dist/index.cjs'),
      `exports.hang = () => new Promise(() => {});
       exports.fail = async () => { throw new Error('hunter2'); };
       exports.answer = async () => ({ statusCode: 200, headers: { 'x-request-id': 'x' }, body: '{}' });`,
    );
    // The time-out counts from the start of the function's thread, which takes more than a second on a busy machine.
    const functions = ['hang', 'fail', 'answer'].map(
      (name) =>
        `  ${name}: { handler: dist/index.${name}, timeout: ${name === 'hang' ? 1 : 30}, events: [{ httpApi: 'POST /${name}' }] }`,
    );
    await writeFile(
      join(directory, 'serverless.yml'),
      `service: failing
provider: { name: aws, runtime: nodejs20.x, stage: dev, region: eu-central-1, httpApi: { payload: '2.0' } }
plugins: [serverless-offline, ./local/serverless-plugin.cjs]
functions:
${functions.join('\n')}
`,
    );
    const httpPort = await freePort();
    lambdaPort = await freePort();
    url = `http://127.0.0.1:${httpPort}`;
    const ports = ['--httpPort', String(httpPort), '--lambdaPort', String(lambdaPort)];
    child = spawn(
      process.execPath,
      [require.resolve('serverless/bin/serverless.js'), 'offline', '--host', '127.0.0.1', ...ports],
      { cwd: directory, stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: directory } },
    );
    await eventually(
      () => fetch(url).catch(() => null),
      (answer) => answer !== null,
    );
  });
  afterAll(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  });

  const call = async (name: string) => {
    const response = await fetch(`${url}/${name}`, { method: 'POST' });
    return [response.status, await response.json()];
  };

  test('a time-out is 503 and an error 500, in the words of API Gateway, and the next request is answered', async () => {
    expect(await call('hang')).toEqual([503, { message: 'Service Unavailable' }]);
    expect(await call('fail')).toEqual([500, { message: 'Internal Server Error' }]);
    expect(await call('hang')).toEqual([503, { message: 'Service Unavailable' }]);
    expect(await call('answer')).toEqual([200, {}]);
  });

  /** With headers that fetch does not let anybody set. */
  const invoke = (headers: Record<string, string>, method = 'POST') =>
    new Promise<{ status: number; headers: Record<string, unknown> }>((done, reject) => {
      const path = '/2015-03-31/functions/failing-dev-answer/invocations';
      httpRequest({ host: '127.0.0.1', port: lambdaPort, path, method, headers }, (response) => {
        response.resume();
        done({ status: response.statusCode ?? 0, headers: response.headers });
      })
        .on('error', reject)
        .end(method === 'POST' ? '{}' : undefined);
    });

  test.each<[string, Record<string, string>]>([
    ['a page of another origin', { origin: 'https://evil.example', 'content-type': 'text/plain' }],
    ['a page of no origin', { origin: 'null' }],
    ['a page whose name points here', { host: 'evil.example:3002' }],
    ['such a page, with the loopback in its name', { host: '127.0.0.1.evil.example' }],
    ['a browser that names no origin', { 'sec-fetch-site': 'same-origin' }],
    ['a page of this machine', { origin: 'http://localhost:3000' }],
  ])('%s may not invoke functions', async (_name, headers) => {
    expect((await invoke(headers)).status).toBe(403);
    const preflight = await invoke({ ...headers, 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect(preflight.status).toBe(403);
    expect(preflight.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test.each<[Record<string, string>]>([[{}], [{ host: 'localhost' }], [{ host: '[::1]:3002' }]])(
    'a program on this machine may, with %j',
    async (headers) => expect((await invoke(headers)).status).toBe(200),
  );
});
