// What the build makes of them, because the renderer is a file that it puts beside a bundle.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/function-files';
import { httpEvent } from '../../setup/http-event';

const ENVIRONMENT = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  RABBITMQ_URL: 'amqp://127.0.0.1:1',
  JWT_SECRET: 'a secret of the tests, long enough',
  LOG_LEVEL: 'silent',
};

/** Runs a function's bundle in a process of its own, as a container does. */
async function run(name: string): Promise<APIGatewayProxyStructuredResultV2> {
  const script = `require(process.argv[1]).handler(${JSON.stringify(httpEvent({}))})
    .then((result) => process.stdout.write(JSON.stringify(result)))`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-e', script, join(ROOT, 'dist', name, 'index.cjs')],
    { env: ENVIRONMENT, maxBuffer: 4 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}

test('the page loads the renderer and the document from us, and nothing from elsewhere', async () => {
  const { statusCode, headers, body = '' } = await run('docs');
  expect([statusCode, headers?.['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(body).toContain('<openapi-explorer spec-url="openapi.json"');
  expect(body).toContain('src="docs/openapi-explorer.js?v=');
  expect(body).not.toMatch(/https?:/);
  // No script in the page itself.
  expect(body).not.toMatch(/<script[^>]*>[^<]/);
  const policy = String(headers?.['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).not.toMatch(/unsafe-eval|https?:|\*/);
});

test('the renderer is the one of the package, compressed, and kept for good', async () => {
  const { statusCode, headers, body = '', isBase64Encoded } = await run('docs-renderer');
  expect([statusCode, isBase64Encoded]).toEqual([200, true]);
  expect(headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'content-encoding': 'gzip',
    'cache-control': 'public, max-age=31536000, immutable',
  });
  const packaged = require.resolve('openapi-explorer/dist/browser/openapi-explorer.min.js');
  expect(gunzipSync(Buffer.from(body, 'base64')).equals(await readFile(packaged))).toBe(true);
});

test('a deploy takes the renderer along', async () => {
  const { functions } = parse(await readFile(join(ROOT, 'serverless.yml'), 'utf8'));
  expect(functions['docs-renderer'].package.patterns).toContain('dist/docs-renderer/openapi-explorer.js.gz');
});
