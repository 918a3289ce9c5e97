import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { handler as jwks } from '../../../functions/auth/jwks';
import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as getMe } from '../../../functions/users/get-me';
import { readConfig } from '../../../shared/config';
import { verifyAccessToken } from '../../../shared/sessions/access-token';
import { generatePrivateJwk } from '../../../shared/tokens/token-keys';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { PASSWORD, type Person, registerPerson } from '../../setup/people';

const SECRET = 'a secret of the tests, long enough';
const json = (value: unknown) => JSON.stringify(value);
const keys = {
  EdDSA: generatePrivateJwk('EdDSA'),
  ES256: generatePrivateJwk('ES256'),
  RS256: generatePrivateJwk('RS256'),
};

let ctx: TestContext;
let person: Person;
beforeAll(async () => {
  ctx = await testContext();
  person = await registerPerson(ctx);
});
afterAll(() => ctx.close());

/** The same service, with other variables for its tokens. */
function withTokens(environment: Record<string, string>): TestContext {
  const base = { DATABASE_URL: 'postgres://localhost/x', RABBITMQ_URL: 'amqp://localhost' };
  return { ...ctx, config: { ...ctx.config, tokens: readConfig({ ...base, ...environment }).tokens } };
}

const logIn = async (at: TestContext): Promise<Person> =>
  (await call(login, at, { method: 'POST', body: { username: person.user.username, password: PASSWORD } }))
    .body;
const status = async (at: TestContext, token: string) => (await call(getMe, at, { token })).status;
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString());
const encode = (value: unknown) => Buffer.from(json(value)).toString('base64url');

async function expectRefused(at: TestContext, token: string) {
  const answer = await call(getMe, at, { token });
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthorized']);
  expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
}

test('carries iss, aud, sub, sid, jti, iat, exp, auth_time, amr, role and scope', () => {
  const [header, claims] = person.accessToken
    .split('.')
    .map((part, index) => (index < 2 ? decode(part) : null));
  const iat = Math.floor(ctx.clock.now.getTime() / 1000);
  expect(header).toEqual({ alg: 'HS256', typ: 'JWT' });
  expect(claims).toEqual({
    iss: 'rollcall',
    aud: 'rollcall',
    amr: ['pwd'],
    acr: 'aal1',
    sub: person.user.id,
    sid: expect.any(String),
    jti: expect.any(String),
    iat,
    exp: iat + 900,
    auth_time: iat,
    role: 'user',
    scope: '',
  });
});

describe('a token that we would not have issued like this', () => {
  /** The claims of a good token, changed; signed by the right secret. */
  const forge = (changes: Record<string, unknown>, header: Record<string, unknown> = {}, secret = SECRET) =>
    new SignJWT({ ...decode(person.accessToken.split('.')[1]), ...changes })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header })
      .sign(new TextEncoder().encode(secret));
  const now = () => Math.floor(ctx.clock.now.getTime() / 1000);

  test('is accepted while nothing is changed, so that the cases below fail for their own reason', async () => {
    expect(await status(ctx, await forge({}))).toBe(200);
    expect(await status(ctx, signRaw({ alg: 'HS256' }))).toBe(200);
  });

  test.each<[string, () => Promise<string> | string]>([
    ['another secret', () => forge({}, {}, 'some other secret that is long enough')],
    ['expired', () => forge({ exp: now() })],
    ['not valid yet', () => forge({ nbf: now() + 60 })],
    ['without an end', () => forge({ exp: undefined })],
    ['without a beginning', () => forge({ iat: undefined })],
    ['without an id', () => forge({ jti: undefined })],
    ['an end that is no number', () => forge({ exp: 'never' })],
    ['another issuer', () => forge({ iss: 'somebody' })],
    ['no issuer', () => forge({ iss: undefined })],
    ['another audience', () => forge({ aud: 'something' })],
    ['no audience', () => forge({ aud: undefined })],
    ['no subject', () => forge({ sub: undefined })],
    ['another user with this session', () => forge({ sub: randomUUID() })],
    ['an unknown session', () => forge({ sid: randomUUID() })],
    ['a session that is no id', () => forge({ sid: "' or 1=1 --" })],
    ['no session', () => forge({ sid: undefined })],
    ['a kid that we do not have', () => forge({}, { kid: 'mine' })],
    ['a kid that is a path', () => forge({}, { kid: '../../dev/null' })],
    ['HS512', () => forge({}, { alg: 'HS512' }, SECRET.repeat(2))],
    ['a critical extension', () => signRaw({ alg: 'HS256', crit: ['x'], x: 1 })],
    ['alg none', () => new UnsecuredJWT(decode(person.accessToken.split('.')[1])).encode()],
    ['alg None, with the signature kept', () => swapHeader({ alg: 'None' })],
    ['alg none, with the signature kept', () => swapHeader({ alg: 'none' })],
    ['no alg', () => swapHeader({ typ: 'JWT' })],
    ['an embedded key', () => swapHeader({ alg: 'ES256', jwk: keys.ES256 })],
    ['other claims under the old signature', () => swapClaims({ role: 'admin' })],
    ['no signature', () => person.accessToken.split('.').slice(0, 2).join('.')],
    ['an empty signature', () => `${person.accessToken.split('.').slice(0, 2).join('.')}.`],
    ['a part more', () => `${person.accessToken}.e30`],
    ['garbage', () => 'garbage'],
    ['dots', () => '...'],
    ['no JSON inside', () => 'YQ.YQ.YQ'],
    ['a refresh token', () => person.refreshToken],
  ])('%s', async (_name, make) => expectRefused(ctx, await make()));

  /** As the secret's holder would, with a header that jose itself refuses to write. */
  function signRaw(header: object) {
    const signed = [encode(header), person.accessToken.split('.')[1]].join('.');
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  }

  function swapHeader(header: object) {
    return [encode(header), ...person.accessToken.split('.').slice(1)].join('.');
  }

  function swapClaims(changes: object) {
    const [header, claims, signature] = person.accessToken.split('.');
    return [header, encode({ ...decode(claims), ...changes }), signature].join('.');
  }
});

describe('a token whose time is over', () => {
  test('because it has expired', async () => {
    const { accessToken } = await logIn(ctx);
    const now = ctx.clock.now;
    ctx.clock.now = new Date(now.getTime() + 899_000);
    expect(await status(ctx, accessToken)).toBe(200);
    ctx.clock.now = new Date(now.getTime() + 901_000);
    await expectRefused(ctx, accessToken);
    ctx.clock.now = now;
  });

  test('because its session was revoked', async () => {
    const { accessToken } = await logIn(ctx);
    await call(logout, ctx, { method: 'POST', token: accessToken });
    await expectRefused(ctx, accessToken);
  });

  test('because its user is gone', async () => {
    const gone = await registerPerson(ctx);
    await ctx.db.deleteFrom('users').where('id', '=', gone.user.id).execute();
    await expectRefused(ctx, gone.accessToken);
  });
});

describe.each(['EdDSA', 'ES256', 'RS256'] as const)('with a key for %s', (algorithm) => {
  const at = () => withTokens({ JWT_PRIVATE_KEY: json(keys[algorithm]) });
  const jwksOf = async (context: TestContext) => (await call(jwks, context)).body;

  test('signs by it, names it, and accepts what it signed', async () => {
    const { accessToken } = await logIn(at());
    const { keys: published } = await jwksOf(at());
    expect(decode(accessToken.split('.')[0])).toEqual({ alg: algorithm, typ: 'JWT', kid: published[0].kid });
    expect(await status(at(), accessToken)).toBe(200);
  });

  test('publishes what others verify by, and nothing of the private half', async () => {
    const { accessToken } = await logIn(at());
    const published = await jwksOf(at());
    expect(published.keys).toHaveLength(1);
    expect(published.keys[0]).toMatchObject({
      alg: algorithm,
      use: 'sig',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    });
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
      expect(published.keys[0]).not.toHaveProperty(secret);
    const verified = await jwtVerify(accessToken, createLocalJWKSet(published), {
      issuer: 'rollcall',
      audience: 'rollcall',
      currentDate: ctx.clock.now,
    });
    expect(verified.payload.sub).toBe(person.user.id);
  });

  test('refuses what the public key signed as a secret', async () => {
    const { accessToken } = await logIn(at());
    const { keys: published } = await jwksOf(at());
    const jwk = published[0];
    const claims = decode(accessToken.split('.')[1]);
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const secret of [json(jwk), String(pem), String(pem).trim(), jwk.x ?? jwk.n]) {
      for (const kid of [jwk.kid, undefined]) {
        const header = { alg: 'HS256', ...(kid && { kid }) };
        const token = await new SignJWT(claims).setProtectedHeader(header).sign(Buffer.from(secret));
        await expectRefused(at(), token);
      }
    }
  });

  test('refuses tokens of the secret, until it is named among the previous keys', async () => {
    const { accessToken } = await logIn(withTokens({ JWT_SECRET: SECRET }));
    const both = { JWT_SECRET: SECRET, JWT_PRIVATE_KEY: json(keys[algorithm]) };
    await expectRefused(withTokens(both), accessToken);
    for (const secret of [SECRET, { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') }]) {
      const moving = withTokens({ ...both, JWT_PREVIOUS_KEYS: json([secret]) });
      expect(await status(moving, accessToken)).toBe(200);
      expect((await jwksOf(moving)).keys).toHaveLength(1);
    }
  });

  test('another kid, another alg or no kid is refused', async () => {
    const { accessToken } = await logIn(at());
    const claims = decode(accessToken.split('.')[1]);
    const kid = decode(accessToken.split('.')[0]).kid;
    const key = await importJWK(keys[algorithm], algorithm);
    const sign = (header: { kid?: string }) =>
      new SignJWT(claims).setProtectedHeader({ alg: algorithm, ...header }).sign(key);
    expect(await status(at(), await sign({ kid }))).toBe(200);
    await expectRefused(at(), await sign({}));
    await expectRefused(at(), await sign({ kid: 'x' }));
  });
});

describe('changing keys', () => {
  const both = withKeys('EdDSA', 'ES256');
  function withKeys(signing: keyof typeof keys, ...previous: (keyof typeof keys)[]) {
    return () =>
      withTokens({
        JWT_PRIVATE_KEY: json(keys[signing]),
        JWT_PREVIOUS_KEYS: json({ keys: previous.map((name) => keys[name]) }),
      });
  }

  test('accepts and publishes the previous keys, public halves only', async () => {
    const { accessToken } = await logIn(withKeys('ES256')());
    expect(await status(both(), accessToken)).toBe(200);
    await expectRefused(withKeys('EdDSA')(), accessToken);
    const { keys: published } = (await call(jwks, both())).body;
    expect(published.map(({ alg }: { alg: string }) => alg)).toEqual(['EdDSA', 'ES256']);
    expect(json(published)).not.toContain('"d":');
  });

  test('refuses a token under the kid of the other key', async () => {
    const { accessToken } = await logIn(both());
    const { keys: published } = (await call(jwks, both())).body;
    const [, claims, signature] = accessToken.split('.');
    for (const alg of ['EdDSA', 'ES256']) {
      await expectRefused(both(), [encode({ alg, kid: published[1].kid }), claims, signature].join('.'));
    }
  });

  test('logs nobody out on the way from a secret to a key, whichever container answers', async () => {
    // Each step is a deploy, during which containers of the step before still serve.
    const publicKey = (await call(jwks, withTokens({ JWT_PRIVATE_KEY: json(keys.EdDSA) }))).body.keys[0];
    const steps = [
      withTokens({ JWT_SECRET: SECRET }),
      withTokens({ JWT_SECRET: SECRET, JWT_PREVIOUS_KEYS: json([publicKey]) }),
      withTokens({ JWT_PRIVATE_KEY: json(keys.EdDSA), JWT_PREVIOUS_KEYS: json([SECRET]) }),
      withTokens({ JWT_PRIVATE_KEY: json(keys.EdDSA) }),
    ];
    const tokens = await Promise.all(steps.map(async (at) => (await logIn(at)).accessToken));
    const accepted = async (token = '') => Promise.all(steps.map((at) => status(at, token)));
    expect(await accepted(tokens[0])).toEqual([200, 200, 200, 401]);
    expect(await accepted(tokens[1])).toEqual([200, 200, 200, 401]);
    expect(await accepted(tokens[2])).toEqual([401, 200, 200, 200]);
    expect(await accepted(tokens[3])).toEqual([401, 200, 200, 200]);
  });

  test('accepts a previous secret beside the new one', async () => {
    const { accessToken } = await logIn(ctx);
    const rotated = withTokens({ JWT_SECRET: `new ${SECRET}`, JWT_PREVIOUS_KEYS: json([SECRET]) });
    expect(await status(rotated, accessToken)).toBe(200);
    expect(await status(rotated, (await logIn(rotated)).accessToken)).toBe(200);
    await expectRefused(withTokens({ JWT_SECRET: `new ${SECRET}` }), accessToken);
  });
});

describe('the JWKS', () => {
  test('of a secret is empty, and may be cached', async () => {
    const answer = await call(jwks, ctx);
    expect([answer.status, answer.body]).toEqual([200, { keys: [] }]);
    expect(answer.headers['cache-control']).toBe('public, max-age=300');
  });

  test('names a key by its thumbprint (RFC 7638 and RFC 8037, appendix A.3)', async () => {
    const rfc8037 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    const at = withTokens({ JWT_SECRET: SECRET, JWT_PREVIOUS_KEYS: json([rfc8037]) });
    const { body } = await call(jwks, at);
    expect(body.keys[0].kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    for (const jwk of Object.values(keys)) {
      const published = (await call(jwks, withTokens({ JWT_PRIVATE_KEY: json(jwk) }))).body.keys[0];
      expect(published.kid).toBe(await calculateJwkThumbprint(published));
    }
  });
});

describe('the configuration', () => {
  const pem = (type: 'ed25519' | 'rsa', bits = 2048) =>
    (type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ed25519')
    ).privateKey
      .export({ type: 'pkcs8', format: 'pem' })
      .toString();

  test.each([
    ['as PEM', pem('ed25519'), 'EdDSA'],
    ['as PEM on one line', pem('rsa').replaceAll('\n', '\\n'), 'RS256'],
    ['as a JWK', json(keys.ES256), 'ES256'],
  ])('takes a key %s', (_name, key, algorithm) => {
    expect(withTokens({ JWT_PRIVATE_KEY: key }).config.tokens.signingKey.algorithm).toBe(algorithm);
  });

  test.each([
    ['neither secret nor key', {}, 'JWT_SECRET is missing'],
    ['a short secret', { JWT_SECRET: 'too short' }, 'JWT_SECRET must be at least 32 bytes long'],
    ['no key', { JWT_PRIVATE_KEY: 'topsecret' }, 'JWT_PRIVATE_KEY is not a valid key'],
    [
      'broken PEM',
      { JWT_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\ntopsecret' },
      'JWT_PRIVATE_KEY is not a valid key',
    ],
    [
      'a public key',
      { JWT_PRIVATE_KEY: json({ ...keys.EdDSA, d: undefined }) },
      'JWT_PRIVATE_KEY is not a valid key',
    ],
    ['a short RSA key', { JWT_PRIVATE_KEY: pem('rsa', 1024) }, 'JWT_PRIVATE_KEY must be a key for'],
    [
      'another alg',
      { JWT_PRIVATE_KEY: json({ ...keys.RS256, alg: 'PS256' }) },
      'JWT_PRIVATE_KEY has an "alg"',
    ],
    ['no list', { JWT_SECRET: SECRET, JWT_PREVIOUS_KEYS: '{}' }, 'JWT_PREVIOUS_KEYS must be a JSON list'],
    [
      'a short previous secret',
      { JWT_SECRET: SECRET, JWT_PREVIOUS_KEYS: '["x"]' },
      'JWT_PREVIOUS_KEYS must be at least',
    ],
    [
      'a number',
      { JWT_SECRET: SECRET, JWT_PREVIOUS_KEYS: '[1]' },
      'JWT_PREVIOUS_KEYS must be a JSON Web Key',
    ],
  ])('names what is wrong: %s', (_name, environment, message) => {
    let error = new Error('none');
    try {
      withTokens(environment as Record<string, string>);
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('topsecret');
  });
});

test('a token that was accepted before is refused once it has expired, or is not known to another configuration', async () => {
  const { accessToken } = await logIn(ctx);
  expect([await status(ctx, accessToken), await status(ctx, accessToken)]).toEqual([200, 200]);
  const lastSecond = new Date(decode(accessToken.split('.')[1]).exp * 1000 - 1);
  expect(await status({ ...ctx, now: () => lastSecond }, accessToken)).toBe(200);
  expect(await status({ ...ctx, now: () => new Date(lastSecond.getTime() + 1) }, accessToken)).toBe(401);
  expect(
    await status(withTokens({ JWT_SECRET: 'another secret of the tests, long enough' }), accessToken),
  ).toBe(401);
});

test('of very many tokens, all are accepted, also those that are no longer remembered', async () => {
  const { tokens } = ctx.config;
  const { payload } = await jwtVerify(
    (await logIn(ctx)).accessToken,
    Buffer.from(String(tokens.signingKey.jwk.k), 'base64url'),
  );
  const now = ctx.now();
  const signed = await Promise.all(
    Array.from({ length: 1_100 }, () =>
      new SignJWT({ ...payload, jti: randomUUID() })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .sign(Buffer.from(String(tokens.signingKey.jwk.k), 'base64url')),
    ),
  );
  for (const token of [...signed, ...signed]) {
    expect(await verifyAccessToken(tokens, token, now)).toMatchObject({ sessionId: payload['sid'] });
  }
});
