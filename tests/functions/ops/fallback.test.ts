import { handler as fallback } from '../../../functions/ops/fallback';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext({ CORS_ORIGINS: 'https://app.example.com' });
});
afterAll(() => ctx.close());

test('an unknown route is a problem like any other', async () => {
  const { status, headers, body } = await call(fallback, ctx, {
    path: '/nowhere',
    headers: { 'x-request-id': 'abc-1' },
  });
  expect([status, body.code, body.requestId]).toEqual([404, 'not_found', 'abc-1']);
  expect(headers).toMatchObject({
    'content-type': 'application/problem+json',
    'x-request-id': 'abc-1',
    'x-content-type-options': 'nosniff',
  });
});

test('a caller cannot write into our log lines through the request id', async () => {
  const { headers } = await call(fallback, ctx, { headers: { 'x-request-id': 'a\nb "c"' } });
  expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('a preflight from an allowed origin is answered, from any other it is not', async () => {
  const preflight = (origin: string) => call(fallback, ctx, { method: 'OPTIONS', headers: { origin } });
  const allowed = await preflight('https://app.example.com');
  expect(allowed.status).toBe(204);
  expect(allowed.headers).toMatchObject({
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': expect.stringContaining('authorization'),
    vary: 'origin',
  });
  const other = await preflight('https://evil.example.com');
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
});

test('continues the trace of the caller and no malformed one', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  await call(fallback, ctx, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
  expect(ctx.logged.at(-1)).toMatchObject({ message: 'request', traceId });
  await call(fallback, ctx, { headers: { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` } });
  expect(ctx.logged.at(-1)?.['traceId']).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
});
