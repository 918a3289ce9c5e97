import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ROOT } from '../../scripts/bundle';
import { commonPasswords, commonPasswordsFile } from '../../scripts/common-passwords';
import { isCommonPassword } from '../../shared/passwords/common';
import { NewPassword } from '../../shared/passwords/fields';

test('the list is the one that its script makes', async () => {
  const file = await readFile(join(ROOT, 'shared/passwords/common-passwords.ts'), 'utf8');
  expect(file).toBe(commonPasswordsFile());
});

test('knows every one of them, in any case', () => {
  const passwords = commonPasswords();
  expect(passwords).toHaveLength(5_000);
  expect(passwords.filter((password) => !isCommonPassword(password))).toEqual([]);
  expect(passwords.filter((password) => !isCommonPassword(password.toUpperCase()))).toEqual([]);
});

test.each(['password', 'Password1', '12345678', 'qwertyuiop', 'P@ssw0rd', 'TrustNo1', 'iloveyou'])(
  '%s is refused',
  (password) => {
    const result = v.safeParse(NewPassword, password);
    expect(result.issues?.map(({ message }) => message)).toEqual([
      'must not be one of the most common passwords',
    ]);
  },
);

test('takes what nobody else has', () => {
  const random = Array.from({ length: 1_000 }, () => randomBytes(9).toString('base64'));
  expect(random.filter(isCommonPassword)).toEqual([]);
  for (const password of ['correct horse battery staple', 'a fine password'])
    expect(v.is(NewPassword, password)).toBe(true);
});

test('costs no more than a few microseconds, also the first time', () => {
  const startedAt = performance.now();
  for (let i = 0; i < 1_000; i += 1) isCommonPassword(`password number ${i}`);
  expect(performance.now() - startedAt).toBeLessThan(100);
});
