// Argon2 as others compute it. Node.js has it since 24.7: before, what cannot be computed must say so.
import * as v from 'valibot';
import { type Argon2Algorithm, computeArgon2, hasArgon2 } from '../../../shared/argon2';
import { readConfig } from '../../../shared/config';
import { hashPassword, needsRehash } from '../../../shared/passwords/hash';
import { ImportedHash } from '../../../shared/passwords/imported-hash';
import { NO_COST, verifyPassword } from '../../../shared/passwords/verify';

const ARGON2ID = { algorithm: 'argon2id', bcryptCost: 4 } as const;
const BCRYPT = { algorithm: 'bcrypt', bcryptCost: 4 } as const;

const COMPLETE = {
  DATABASE_URL: 'postgres://localhost/rollcall',
  RABBITMQ_URL: 'amqp://localhost',
  JWT_SECRET: 'x'.repeat(32),
};

/** By the reference implementation, through Python's argon2-cffi. */
const ELSEWHERE: [password: string, hash: string][] = [
  [
    'a fine password',
    '$argon2id$v=19$m=65536,t=3,p=4$rjqdheBni35/BfiYWsm7jQ$S8ZU2xsSTlnNYsW93tw3yATGlz2C2cdbGeCaVbqwerM',
  ],
  ['a fine password', '$argon2id$v=19$m=102400,t=2,p=8$j8FOYNe/3E7dELl/NU7sSA$PlSwpjnhPeVesMhHQesZPg'],
  [
    'Müde Käfer-9 \u200d🐞',
    '$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$p8snraY4FMA3x8zR7rNlYRTcXy0s2oABJaB2vmLSZsM',
  ],
  [
    'Müde Käfer-9 \u200d🐞',
    '$argon2d$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$2yDb2kAfkTzCjAla+tiHfraqJCAZqAHod1k/GtbzUGg',
  ],
  [
    'Müde Käfer-9 \u200d🐞',
    '$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$IZTTa3u9ROQySBB3Eq28/d7rQUvhMEwzIpYAEmvqXyg',
  ],
  [
    'a fine password',
    '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$YGs9trwjM7Oqy07/gpVR26+Ib/0rygEZcYTqdiQYjNA',
  ],
  [
    'a fine password',
    '$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$zVycFDSTtlonOInt0Quv/2aaJlHjaKSAjV6Z1/M/nHA',
  ],
];
const [, , ARGON2I = '', , WEAK = '', SAME = '', OTHER = ''] = ELSEWHERE.map(([, hash]) => hash);
const STRONGER = ELSEWHERE.slice(0, 2).map(([, hash]) => hash);

if (hasArgon2()) {
  // RFC 9106, section 5.
  test.each<[Argon2Algorithm, string]>([
    ['argon2d', '512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb'],
    ['argon2i', 'c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8'],
    ['argon2id', '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659'],
  ])('computes the test vector of %s', async (algorithm, tag) => {
    const parameters = {
      message: Buffer.alloc(32, 1),
      nonce: Buffer.alloc(16, 2),
      secret: Buffer.alloc(8, 3),
      associatedData: Buffer.alloc(12, 4),
      ...{ memory: 32, passes: 3, parallelism: 4, tagLength: 32 },
    };
    expect((await computeArgon2(algorithm, parameters)).toString('hex')).toBe(tag);
  });

  test.each(ELSEWHERE)('accepts %s by its hash from elsewhere, %s', async (password, hash) => {
    expect(v.parse(ImportedHash, hash)).toBe(hash);
    expect(await verifyPassword(password, hash, NO_COST)).toBe('prepared');
    expect(await verifyPassword(`${password}.`, hash, NO_COST)).toBeNull();
  });

  test('writes PHC strings of the configured cost, each with its own salt', async () => {
    const password = 'ö'.repeat(200);
    const [one, two] = await Promise.all([
      hashPassword(password, ARGON2ID),
      hashPassword(password, ARGON2ID),
    ]);
    expect(one.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one.hash).not.toBe(two.hash);
    expect(await verifyPassword(password.normalize('NFD'), one.hash, NO_COST)).toBe('prepared');
    expect(await verifyPassword('ö'.repeat(199), one.hash, NO_COST)).toBeNull();
    expect(readConfig(COMPLETE).passwords.algorithm).toBe('argon2id');
    expect(readConfig({ ...COMPLETE, PASSWORD_HASH: 'bcrypt' }).passwords.algorithm).toBe('bcrypt');
  });
} else {
  test('without Argon2, names the version that has it, and never calls a password wrong', async () => {
    expect(() => readConfig({ ...COMPLETE, PASSWORD_HASH: 'argon2id' })).toThrow(
      /PASSWORD_HASH is argon2id, which Node.js v\S+ cannot compute: run Node.js 24.7 or later/,
    );
    expect(readConfig(COMPLETE).passwords.algorithm).toBe('bcrypt');
    for (const [password, hash] of ELSEWHERE)
      await expect(verifyPassword(password, hash, NO_COST)).rejects.toMatchObject({
        code: 'unavailable',
        cause: { message: expect.stringContaining('run 24.7 or later') },
      });
    await expect(hashPassword('a fine password', ARGON2ID)).rejects.toThrow('no Argon2');
  });

  test('without Argon2, still imports its hashes', () => {
    for (const [, hash] of ELSEWHERE) expect(v.parse(ImportedHash, hash)).toBe(hash);
  });
}

test('replaces what is weaker than configured, of the other algorithm, or of the typed form', () => {
  const isReplaced = (
    hash: string,
    settings: typeof ARGON2ID | typeof BCRYPT,
    password = 'a fine password',
  ) => needsRehash(hash, password, 'prepared', settings);
  const bcrypt = `$2b$10$${'.'.repeat(53)}`;
  for (const hash of [bcrypt, ARGON2I, WEAK])
    expect([hash, isReplaced(hash, ARGON2ID)]).toEqual([hash, true]);
  for (const hash of [SAME, OTHER, ...STRONGER])
    expect([hash, isReplaced(hash, ARGON2ID)]).toEqual([hash, false]);
  expect(needsRehash(SAME, 'a fine password', 'typed', ARGON2ID)).toBe(true);

  expect(isReplaced(SAME, BCRYPT)).toBe(true);
  // bcrypt cannot take all of it.
  expect(isReplaced(SAME, BCRYPT, 'ö'.repeat(37))).toBe(false);
  expect(isReplaced(bcrypt, BCRYPT)).toBe(false);
});

const SALT = 'c29tZXNhbHRzb21lc2FsdA';
const TAG = 'YGs9trwjM7Oqy07/gpVR26+Ib/0rygEZcYTqdiQYjNA';

test.each([
  ['an older version', `$argon2id$v=16$m=65536,t=3,p=4$${SALT}$${TAG}`, 'must be a PHC string'],
  ['no version', `$argon2i$m=4096,t=3,p=1$${SALT}$${TAG}`, 'must be a PHC string'],
  ['a key', `$argon2id$v=19$m=4096,t=3,p=1,keyid=abc$${SALT}$${TAG}`, 'must be a PHC string'],
  ['padding', `$argon2id$v=19$m=4096,t=3,p=1$${SALT}$${TAG}=`, 'must be a PHC string'],
  ['another algorithm', `$argon2x$v=19$m=4096,t=3,p=1$${SALT}$${TAG}`, 'must be a PHC string'],
  ['too much memory', `$argon2id$v=19$m=262145,t=1,p=1$${SALT}$${TAG}`, 'must have m from 8 × p to 262144'],
  ['too little memory', `$argon2id$v=19$m=31,t=1,p=4$${SALT}$${TAG}`, 'must have m from 8 × p'],
  ['too long a time', `$argon2id$v=19$m=262144,t=5,p=1$${SALT}$${TAG}`, 'm × t of at most 1048576'],
  ['no pass', `$argon2id$v=19$m=262144,t=0,p=1$${SALT}$${TAG}`, 't of at least 1'],
  ['too many lanes', `$argon2id$v=19$m=65536,t=1,p=65$${SALT}$${TAG}`, 'must have p from 1 to 64'],
  ['a short salt', `$argon2id$v=19$m=4096,t=3,p=1$c29tZQ$${TAG}`, 'must have a salt of 8 to 64 bytes'],
  ['a short hash', `$argon2id$v=19$m=4096,t=3,p=1$${SALT}$c29tZXNhbHQ`, 'must have a hash of 16 to 64 bytes'],
  ['scrypt', '$scrypt$ln=16,r=8,p=1$c2FsdA$aGFzaA', 'must be a hash by bcrypt'],
])('refuses to import an Argon2 hash with %s', (_what, hash, problem) => {
  expect(v.safeParse(ImportedHash, hash).issues?.[0].message).toContain(problem);
});
