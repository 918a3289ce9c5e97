import { join } from 'node:path';
import { handler as openapi } from '../../../functions/ops/openapi';
import { ROOT } from '../../../scripts/function-files';
import { openapiDocument } from '../../../scripts/openapi/document';
import { httpFunctions } from '../../../scripts/openapi/routes';
import { errorCodes } from '../../../shared/errors';
import served from '../../../shared/openapi/openapi.json';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { documented, documentedOf, expectDocumented, expectRouteDocumented } from '../../setup/openapi';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ CORS_ORIGINS: '*' });
});
afterAll(() => ctx.close());

test('serves the document, for everyone and to be kept for a while', async () => {
  const { status, headers, body } = await call(openapi, ctx, {
    headers: { origin: 'https://elsewhere.example' },
  });
  expect([status, body]).toEqual([200, served]);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'public, max-age=300',
    'access-control-allow-origin': '*',
  });
});

test('is up to date: else run `npm run openapi`', async () => {
  expect(JSON.parse(JSON.stringify(await openapiDocument()))).toEqual(served);
});

test('is valid OpenAPI 3.1', async () => {
  const { Validator } = await import('@seriousme/openapi-schema-validator');
  const validator = new Validator();
  expect(await validator.validate(structuredClone(served))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  // What that leaves to others: every reference leads somewhere, every operation has an id of its own.
  const references = [...JSON.stringify(served).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, path = '']) => path,
  );
  const missing = references.filter(
    (path) => !path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], served),
  );
  expect(missing).toEqual([]);
  const ids = documented.map(({ operation }) => operation.operationId);
  expect(ids).toEqual([...new Set(ids)]);
});

test('has every route of serverless.yml and no other', async () => {
  const routes = (await httpFunctions()).flatMap((each) =>
    each.routes.map(({ method, path }) => `${method} ${path}`),
  );
  const described = documented.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(described.sort()).toEqual(routes.sort());
});

test('has every error code', () => {
  const text = JSON.stringify(served.components.responses);
  expect(errorCodes().filter((code) => !text.includes(`"code":"${code}"`))).toEqual([]);
});

describe('the check that every answer in the tests goes through', () => {
  const problem = (status: number, code: string, more = {}): TestReply => ({
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: {
      type: `urn:rollcall:error:${code}`,
      title: 't',
      status,
      detail: 'd',
      code,
      requestId: null,
      ...more,
    },
  });
  const login = documented.find(({ operation }) => operation.operationId === 'login');
  const check = (reply: TestReply) => () => {
    if (!login) throw new Error('No login');
    expectDocumented(login, reply);
  };

  test.each<[string, TestReply, string | undefined]>([
    ['what is documented', problem(401, 'invalid_credentials'), undefined],
    ['an unknown status', problem(418, 'teapot'), 'answered 418 teapot'],
    ['an unknown code', problem(401, 'unauthorized'), 'must be equal to one of the allowed values'],
    [
      'an unknown field',
      problem(401, 'invalid_credentials', { stack: '…' }),
      'must NOT have additional properties',
    ],
    [
      'a status unlike the body',
      { ...problem(401, 'invalid_credentials'), status: 429 },
      'must be equal to constant',
    ],
    [
      'a missing field',
      { ...problem(200, ''), headers: { 'content-type': 'application/json' } },
      "required property 'user'",
    ],
    ['another content type', { ...problem(401, 'invalid_credentials'), headers: {} }, 'no content'],
    [
      'an unknown header',
      { ...problem(401, 'invalid_credentials'), headers: { location: '/' } },
      'answered 401 with location',
    ],
  ])('%s', (_name, reply, message) => {
    const checked = expect(check(reply));
    if (message === undefined) checked.not.toThrow();
    else checked.toThrow(message);
  });

  test('finds the operation of every function, so that none goes unchecked', async () => {
    for (const { name, file, routes } of await httpFunctions()) {
      const { handler } = await import(join(ROOT, file));
      expect([name, documentedOf(handler)?.path]).toEqual([name, routes[0].path]);
    }
  });

  test('a route that is not documented has to be not there', () => {
    expect(() => expectRouteDocumented('GET', '/nowhere', problem(404, 'not_found'))).not.toThrow();
    expect(() => expectRouteDocumented('GET', '/nowhere', problem(401, 'unauthorized'))).toThrow(
      'no such route',
    );
    expect(() =>
      expectRouteDocumented('POST', '/users/me/x', { status: 200, headers: {}, body: {} }),
    ).toThrow('no such route');
  });
});
