// What the build makes of the hosted pages: a shell from the server, and script and style beside the bundle.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/function-files';
import { runBundle } from '../../setup/bundle';

const APP = 'https://app.example.com/signed-in';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const LISTED = { RETURN_URLS: `${APP},com.example.app:/signed-in` };
/** Of the script, with Preact, and of the style. */
const MAX_COMPRESSED_BYTES = 20 * 1024;

async function page(path: string, query: Record<string, string> = {}, environment = {}) {
  const {
    statusCode,
    headers = {},
    body = '',
  } = await runBundle('hosted-page', { path, query }, environment);
  return { status: statusCode, headers, body, policy: String(headers['content-security-policy']) };
}

test.each([
  ['/sign-in', 'Sign in'],
  ['/sign-up', 'Create an account'],
  ['/forgot-password', 'Reset your password'],
  ['/reset-password', 'Choose a new password'],
  ['/verify-email', 'Confirm your email address'],
  ['/undo-email-change', 'Keep your email address'],
  ['/export', 'Download your data'],
])('%s is a page of its own files, and repeats nothing of its query', async (path, title) => {
  const hostile = '"><script>alert(1)</script>';
  const query = { token: `secret-token${hostile}`, state: hostile, return_to: `javascript:${hostile}` };
  const { status, headers, body, policy } = await page(path, query);
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
  expect(body).toContain(`<title>${title} · Ours &amp; &lt;Theirs&gt;</title>`);
  expect(body).not.toMatch(/secret-token|alert|javascript:/);
  expect(body).toMatch(/src="pages\/app\.js\?v=[\w-]{12}"/);
  expect(body).toMatch(/href="pages\/app\.css\?v=[\w-]{12}"/);
  expect(body).not.toMatch(/https?:|<script[^>]*>[^<]| style=| on\w+=/);
  const [, theme = ''] = /<style>([^<]*)<\/style>/.exec(body) ?? [];
  const hash = createHash('sha256').update(theme).digest('base64');
  expect(policy).toBe(
    `default-src 'none'; script-src 'self'; style-src 'self' 'sha256-${hash}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`,
  );
});

test.each<[string, Record<string, string>, Record<string, string>, boolean]>([
  ['nothing', {}, LISTED, true],
  ['a listed URL', { return_to: APP }, LISTED, true],
  ['an app', { return_to: 'com.example.app:/signed-in', code_challenge: CHALLENGE }, LISTED, true],
  ['the console', { return_to: 'console' }, {}, true],
  ['the console that is off', { return_to: 'console' }, { CONSOLE: 'off' }, false],
  ['a URL, where none is listed', { return_to: APP }, {}, false],
  ['a part of a listed URL', { return_to: 'https://app.example.com/' }, LISTED, false],
  ['more than a listed URL', { return_to: `${APP}/x` }, LISTED, false],
  ['two URLs', { return_to: `${APP},${APP}` }, LISTED, false],
  ['a path of this host', { return_to: '/console' }, LISTED, false],
  ['nothing at all', { return_to: '' }, LISTED, false],
  ['a challenge that is none', { return_to: APP, code_challenge: 'plain' }, LISTED, false],
])('a link to return to %s', async (_what, query, environment, isGood) => {
  const { body } = await page('/sign-in', query, environment);
  expect(body.includes('data-bad-target')).toBe(!isGood);
});

test('the page knows where passkeys may be used', async () => {
  const origins = ['https://a.example', 'https://b.a.example:8443', `android:apk-key-hash:${'A'.repeat(43)}`];
  const { body } = await page(
    '/sign-in',
    {},
    { PASSKEY_ORIGINS: origins.join(), PASSKEY_RP_ID: 'a.example' },
  );
  expect(body).toContain('data-passkey-hosts="a.example b.a.example:8443"');
});

test('the page knows whether a code may be mailed', async () => {
  expect((await page('/sign-in')).body).not.toContain('data-email-login');
  expect((await page('/sign-in', {}, { EMAIL_LOGIN: 'on' })).body).toContain('data-email-login');
});

test('the page knows whether an address is needed', async () => {
  expect((await page('/sign-up')).body).toContain('data-requires-email');
  expect((await page('/sign-up', {}, { REQUIRE_EMAIL: 'false' })).body).not.toContain('data-requires-email');
});

test.each([
  ['https://cdn.example.com/a/logo.svg?v=1&x=2', 'img-src data: https://cdn.example.com/a/logo.svg;'],
  ['https://cdn.example.com/a;b,c.svg', 'img-src data: https://cdn.example.com/a%3Bb%2Cc.svg;'],
  ['/logo.svg', "img-src data: 'self';"],
])('the logo %s is allowed, and no other picture', async (LOGO_URL, source) => {
  const { body, policy } = await page('/sign-in', {}, { LOGO_URL });
  expect(policy).toContain(source);
  expect(body).toContain(
    `<img src="${LOGO_URL.replace('&', '&amp;')}" alt="Ours &amp; &lt;Theirs&gt;" height="48">`,
  );
});

test('script and style are compressed, small, and kept for good', async () => {
  let bytes = 0;
  for (const [name, type] of [
    ['app.js', 'text/javascript'],
    ['app.css', 'text/css'],
  ] as const) {
    const { statusCode, headers, body = '' } = await runBundle('page-asset', { params: { asset: name } });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': `${type}; charset=utf-8`,
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    const compressed = Buffer.from(body, 'base64');
    bytes += compressed.length;
    const text = gunzipSync(compressed).toString();
    expect(text.match(/https?:\/\/(?!www\.w3\.org\/)[^"'`\s]+/g)).toBeNull();
    expect(text).not.toMatch(/\beval\(|new Function\(|localStorage|sessionStorage|document\.cookie/);
  }
  expect(bytes).toBeLessThan(MAX_COMPRESSED_BYTES);
  expect((await runBundle('page-asset', { params: { asset: 'index.cjs' } })).statusCode).toBe(404);
});

test('a deploy takes the files along', async () => {
  const { functions } = parse(await readFile(join(ROOT, 'serverless.yml'), 'utf8'));
  for (const name of ['hosted-page', 'page-asset'])
    expect(functions[name].package.patterns).toContain(`dist/${name}/pages-*.gz`);
});
