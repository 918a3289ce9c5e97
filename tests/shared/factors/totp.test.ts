import { readConfig } from '../../../shared/config';
import { matchStep, newSecret } from '../../../shared/factors/totp';

/** RFC 6238, appendix B, for SHA-1: our codes are the last six of its eight digits. */
const VECTORS = [
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
] as const;
const SECRET = Buffer.from('12345678901234567890');

const at = (seconds: number) => new Date(seconds * 1000);

test.each(VECTORS)('RFC 6238: at %d s the code is the end of %s', (seconds, digits) => {
  expect(matchStep(SECRET, digits.slice(2), at(seconds), null)).toBe(Math.floor(seconds / 30));
});

test('a clock may be one step off, and not two', () => {
  const code = '005924';
  const step = 1234567890 / 30;
  for (const off of [-30, 0, 29, 30, 59]) {
    expect([off, matchStep(SECRET, code, at(1234567890 + off), null)]).toEqual([off, step]);
  }
  for (const off of [-31, -60, 60, 90]) {
    expect([off, matchStep(SECRET, code, at(1234567890 + off), null)]).toEqual([off, null]);
  }
});

test('a code works once: neither its step nor an earlier one counts again', () => {
  const step = 1234567890 / 30;
  expect(matchStep(SECRET, '005924', at(1234567890), step - 1)).toBe(step);
  expect(matchStep(SECRET, '005924', at(1234567890), step)).toBeNull();
  expect(matchStep(SECRET, '005924', at(1234567890), step + 1)).toBeNull();
});

test.each(['', '05924', '0059240', '00592a', '٠٠٥٩٢٤', '-05924', '005924\n'])('%j is no code', (code) => {
  expect(matchStep(SECRET, code, at(1234567890), null)).toBeNull();
});

test('a new secret has 160 bits, a URI that names issuer and user, and a QR code of one SVG element', () => {
  const { secret, uri, qrCode } = newSecret('Acme & Mail', 'gorden@x');
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  expect(newSecret('Acme', 'x').secret).not.toBe(secret);
  const url = new URL(uri);
  expect([url.protocol, url.host, url.searchParams.get('secret')]).toEqual(['otpauth:', 'totp', secret]);
  expect(url.searchParams.get('issuer')).toBe('Acme & Mail');
  expect(decodeURIComponent(url.pathname)).toBe('/Acme & Mail:gorden@x');
  expect(qrCode).toMatch(/^<svg [^>]*>(<(rect|path) [^>]*\/>)+<\/svg>$/);
});

test.each([
  ['Acme: Mail', 'Acme Mail'],
  ['Acme:Mail', 'Acme Mail'],
  [':Acme::', 'Acme'],
])('the URI of %j names the issuer without a colon, which would end it: %j', (name, issuer) => {
  const { uri } = newSecret(name, 'gorden');
  expect(uri).not.toMatch(/%3a/i);
  expect(new URL(uri).searchParams.get('issuer')).toBe(issuer);
  expect(decodeURIComponent(new URL(uri).pathname)).toBe(`/${issuer}:gorden`);
});

test.each(['x', '雪', '🦊'])(
  'the longest APP_NAME of %s fits into a QR code with the longest username',
  (one) => {
    const { appName } = readConfig({
      DATABASE_URL: 'postgres://localhost/rollcall',
      RABBITMQ_URL: 'amqp://localhost',
      JWT_SECRET: 'a secret of the tests, long enough',
      APP_NAME: one.repeat(64),
    }).mail;
    expect(newSecret(appName, 'x'.repeat(32)).qrCode).toMatch(/^<svg /);
  },
);
