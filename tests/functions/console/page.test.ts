// What the build makes of them, because script and style are files that it puts beside the bundles.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { ROOT } from '../../../scripts/function-files';
import { runBundle } from '../../setup/bundle';

const MAX_COMPRESSED_BYTES = 60 * 1024;

const asset = (name: string) => runBundle('console-asset', { params: { asset: name } });

test('the page loads script and style from us by their content, and allows nothing else', async () => {
  const { statusCode, headers, body = '' } = await runBundle('console');
  expect([statusCode, headers?.['content-type'], headers?.['cache-control']]).toEqual([
    200,
    'text/html; charset=utf-8',
    'no-cache',
  ]);
  expect(body).toMatch(/src="console\/app\.js\?v=[\w-]{12}"/);
  expect(body).toMatch(/href="console\/app\.css\?v=[\w-]{12}"/);
  expect(body).toContain('<title>Ours &amp; &lt;Theirs&gt; console</title>');
  expect(body).not.toMatch(/https?:/);
  expect(body).not.toMatch(/<script[^>]*>[^<]|<style| style=/);
  const policy = String(headers?.['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

test('script and style are compressed, small, and kept for good', async () => {
  const assets = await Promise.all(['app.js', 'app.css'].map(asset));
  let bytes = 0;
  for (const [index, type] of ['text/javascript', 'text/css'].entries()) {
    const { statusCode, headers, body = '', isBase64Encoded } = assets[index] ?? {};
    expect([statusCode, isBase64Encoded]).toEqual([200, true]);
    expect(headers).toMatchObject({
      'content-type': `${type}; charset=utf-8`,
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    const compressed = Buffer.from(body, 'base64');
    bytes += compressed.length;
    const text = gunzipSync(compressed).toString();
    // Fonts, telemetry or anything else from elsewhere. Names of namespaces are no addresses.
    expect(text.match(/https?:\/\/(?!www\.w3\.org\/)[^"'`\s]+/g)).toBeNull();
    expect(text).not.toMatch(/\beval\(|new Function\(/);
  }
  expect(bytes).toBeLessThan(MAX_COMPRESSED_BYTES);
});

test('there is no other file', async () => {
  for (const name of ['index.cjs', '../console/index.cjs', 'app.js.gz', 'session'])
    expect((await asset(name)).statusCode).toBe(404);
});

test('the address of the service leads to the console, or to the documentation if the console is off', async () => {
  const on = await runBundle('root');
  expect([on.statusCode, on.headers?.['location']]).toEqual([302, 'console']);
  const off = await runBundle('root', {}, { CONSOLE: 'off' });
  expect([off.statusCode, off.headers?.['location']]).toEqual([302, 'docs']);
  expect((await runBundle('console', {}, { CONSOLE: 'off' })).statusCode).toBe(404);
});

test('a deploy takes the files along', async () => {
  const { functions } = parse(await readFile(join(ROOT, 'serverless.yml'), 'utf8'));
  for (const name of ['console', 'console-asset'])
    expect(functions[name].package.patterns).toContain(`dist/${name}/console-*.gz`);
});
