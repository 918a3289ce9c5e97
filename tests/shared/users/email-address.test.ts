import * as v from 'valibot';
import { addressKey, displayAddress, storedAddress } from '../../../shared/users/email-address';
import { Email } from '../../../shared/users/fields';

test.each([
  'a@b.co',
  'name+tag@example.com',
  "o'b#!$%&*/=?^_`{|}~-@example.com",
  `${'x'.repeat(64)}@example.com`,
  `a@${'x'.repeat(63)}.com`,
  'a@1.2.3.example',
  'jo@bücher.example',
  'jo@xn--bcher-kva.example',
  'jo@例え。jp',
])('takes %s', (address) => {
  expect(v.is(Email, address)).toBe(true);
});

test.each([
  '',
  'nobody',
  '@example.com',
  'a@',
  'a..b@example.com',
  '.a@example.com',
  'a.@example.com',
  'a b@example.com',
  'a@b@example.com',
  '"a b"@example.com',
  'jö@example.com',
  `${'x'.repeat(65)}@example.com`,
  `a@${'x'.repeat(64)}.com`,
  `a@${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.com`,
  'a@localhost',
  'a@example.c',
  'a@example.com.',
  'a@example..com',
  'a@-example.com',
  'a@example-.com',
  'a@ex_ample.com',
  'a@192.0.2.1',
  'a@example.123',
  'a@[192.0.2.1]',
  'a@１２.１２',
  'a@xn--a.example',
  'a@xn--a-.example',
  'a@xn--.example',
  'a@bü/cher.example',
  'a@bü%2e.example',
  'a@bü:80.example',
  `a@${'ü'.repeat(60)}.example`,
  'a@example.com\r\nBcc: b@example.com',
])('refuses %j', (address) => {
  expect(v.safeParse(Email, address).issues?.map(({ message }) => message)).toEqual([
    'must be an email address, such as name@example.com',
  ]);
});

test('an international domain is stored as A-labels and shown as U-labels', () => {
  for (const typed of ['Jo@bücher.example', 'Jo@BÜCHER.example', 'Jo@bu\u0308cher.example']) {
    expect(storedAddress(typed)).toBe('Jo@xn--bcher-kva.example');
  }
  expect(displayAddress('Jo@xn--bcher-kva.example')).toBe('Jo@bücher.example');
  expect(storedAddress('Jo@Example.com')).toBe('Jo@Example.com');
  expect(displayAddress('Jo@Example.com')).toBe('Jo@Example.com');
  // Labels that decode to nothing stay as they are.
  expect(displayAddress('Jo@xn--a.example')).toBe('Jo@xn--a.example');
});

test('all ways to write an address have one key', () => {
  const ways = ['jo@bücher.example', ' Jo@BÜCHER.example ', 'JO@XN--BCHER-KVA.EXAMPLE', 'jo@bücher。example'];
  expect(new Set(ways.map(addressKey))).toEqual(new Set(['jo@xn--bcher-kva.example']));
});
