import { open, parseEncryptionKey, seal } from '../../shared/seal';

const key = (letter: string) => parseEncryptionKey(Buffer.alloc(32, letter).toString('base64'));
const PLAIN = Buffer.from('a secret');

test('what the first key sealed, each list with that key opens', () => {
  const [a, b] = [key('a'), key('b')];
  const sealed = seal([a, b], PLAIN, 'owner');
  expect(sealed.includes(PLAIN)).toBe(false);
  expect(open([a], sealed, 'owner')).toEqual({ plain: PLAIN, isCurrent: true });
  expect(open([b, a], sealed, 'owner')).toEqual({ plain: PLAIN, isCurrent: false });
  expect(seal([a], PLAIN, 'owner')).not.toEqual(sealed);
});

test('without its key it does not open, and the error names the key by its id alone', () => {
  const sealed = seal([key('a')], PLAIN, 'owner');
  expect(() => open([key('b')], sealed, 'owner')).toThrow(
    `ENCRYPTION_KEYS lacks the key ${key('a').id.toString('hex')}`,
  );
  expect(() => open([], sealed, 'owner')).toThrow('ENCRYPTION_KEYS lacks');
  expect(() => seal([], PLAIN, 'owner')).toThrow('There is no encryption key');
});

test('nobody can move it to another record, alter a byte of it or cut it', () => {
  const keys = [key('a')];
  const sealed = seal(keys, PLAIN, 'owner');
  expect(() => open(keys, sealed, 'another')).toThrow();
  for (const index of sealed.keys()) {
    const altered = Buffer.from(sealed);
    altered[index] = (altered[index] ?? 0) ^ 1;
    expect(() => open(keys, altered, 'owner')).toThrow();
    expect(() => open(keys, sealed.subarray(0, index), 'owner')).toThrow();
  }
});

test.each([
  '',
  'short',
  'x'.repeat(44),
  Buffer.alloc(31).toString('base64'),
  Buffer.alloc(33).toString('base64'),
])('%j is no key, and the error says what is one', (text) => {
  expect(() => parseEncryptionKey(text)).toThrow('must be 32 bytes in base64');
});

test('base64url is as good', () => {
  const bytes = Buffer.alloc(32, 0xfb);
  expect(parseEncryptionKey(bytes.toString('base64url'))).toEqual(
    parseEncryptionKey(bytes.toString('base64')),
  );
});
