import { randomBytes } from 'node:crypto';
import { handler as listAudit } from '../../../functions/events/list-audit';
import { handler as listPasskeys } from '../../../functions/factors/list-passkeys';
import { handler as getMe } from '../../../functions/users/get-me';
import { purgeEvents } from '../../../shared/ops/purge';
import { type Algorithm, type Misbehaviour, SoftwareAuthenticator } from '../../setup/authenticator';
import { type TestContext, testContext } from '../../setup/context';
import { later } from '../../setup/factors';
import { call } from '../../setup/http';
import type { TestReply } from '../../setup/http-event';
import { readEvents } from '../../setup/mail-flow';
import {
  addOwnPasskey,
  assertionOf,
  creationOptions,
  logInWith,
  type OwnPasskey,
  requestOptions,
} from '../../setup/passkeys';
import { logInAdmin, registerPerson } from '../../setup/people';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

async function withPasskey(algorithm?: Algorithm) {
  const person = await registerPerson(ctx);
  return { person, passkey: await addOwnPasskey(ctx, person, algorithm) };
}
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const failsWith = async (passkey: OwnPasskey, wrong: Misbehaviour): Promise<string> => {
  const reply = await logInWith(ctx, await assertionOf(ctx, passkey, wrong));
  expect([reply.status, reply.body.code]).toEqual([401, 'invalid_assertion']);
  return reply.body.detail;
};
const codesOf = (replies: TestReply[]) => replies.map(({ status, body }) => body.code ?? status);
const auditOf = async (subject: string, type: string) => {
  const { accessToken: token } = await logInAdmin(ctx);
  const { body } = await call(listAudit, ctx, { token, query: { subject, type, limit: '100' } });
  return body.entries.map(({ details }: { details: object }) => details);
};

test('the options name no credential and no user, and ask for a verified one', async () => {
  const options = await requestOptions(ctx);
  expect(options).toEqual({
    challenge: expect.stringMatching(/^[\w-]{43}$/),
    timeout: 300_000,
    rpId: 'localhost',
    allowCredentials: [],
    userVerification: 'required',
  });
  expect((await requestOptions(ctx)).challenge).not.toBe(options.challenge);
});

test.each(['ES256', 'EdDSA', 'RS256'] as const)(
  '%s: a passkey logs in without a name and a password, as two factors',
  async (algorithm) => {
    const { person, passkey } = await withPasskey(algorithm);
    const reply = await logInWith(ctx, await assertionOf(ctx, passkey));
    expect([reply.status, reply.body.user.id]).toEqual([200, person.user.id]);
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(claimsOf(reply.body.accessToken)).toMatchObject({ amr: ['pop', 'user', 'mfa'], acr: 'aal2' });
    expect((await call(getMe, ctx, { token: reply.body.accessToken })).status).toBe(200);
    const created = (await readEvents(ctx)).filter(
      ({ type, subject }) => type === 'session.created' && subject === person.user.id,
    );
    expect(created.map(({ data }) => 'amr' in data && data.amr)).toEqual([['pop', 'user', 'mfa']]);
    // ES256 signatures vary in length: r and s may be short.
    for (let index = 0; index < 20; index++)
      expect((await logInWith(ctx, await assertionOf(ctx, passkey))).status).toBe(200);
  },
);

test('a challenge works once, for 5 minutes, and only if it is ours', async () => {
  const { passkey } = await withPasskey();
  const assertion = await assertionOf(ctx, passkey);
  expect((await logInWith(ctx, assertion)).status).toBe(200);
  const replayed = await logInWith(ctx, assertion);
  expect([replayed.status, replayed.body.code]).toEqual([401, 'invalid_assertion']);
  // A new signature over the same challenge.
  const { challenge } = JSON.parse(Buffer.from(assertion.response.clientDataJSON, 'base64url').toString());
  expect(await failsWith(passkey, { challenge })).toMatch(/challenge/);
  expect(await failsWith(passkey, { challenge: randomBytes(32).toString('base64url') })).toMatch(/challenge/);
  const options = await requestOptions(ctx);
  expect(await failsWith(passkey, { challenge: `${options.challenge}=` })).toMatch(/challenge/);
  later(ctx, 299);
  expect((await logInWith(ctx, passkey.authenticator.authenticate(options))).status).toBe(200);
  const late = await requestOptions(ctx);
  later(ctx, 300);
  const expired = await logInWith(ctx, passkey.authenticator.authenticate(late));
  expect([expired.status, expired.body.code]).toEqual([401, 'invalid_assertion']);
  // It waits for the next purge, which leaves what is still valid.
  const { challenge: valid } = await requestOptions(ctx);
  expect((await purgeEvents(ctx, 10_000)).passkeyChallenges).toBeGreaterThan(0);
  expect(
    (await logInWith(ctx, passkey.authenticator.authenticate({ ...late, challenge: valid }))).status,
  ).toBe(200);
});

test('of fifty at once with one assertion, one gets in', async () => {
  const { person, passkey } = await withPasskey();
  const assertion = await assertionOf(ctx, passkey);
  const replies = await Promise.all(Array.from({ length: 50 }, () => logInWith(ctx, assertion)));
  expect(codesOf(replies).sort()).toEqual([200, ...Array(49).fill('invalid_assertion')]);
  const created = (await readEvents(ctx)).filter(
    ({ type, subject }) => type === 'session.created' && subject === person.user.id,
  );
  expect(created).toHaveLength(1);
  expect(await auditOf(person.user.id, 'session.failed')).toEqual(
    Array(49).fill({ nameHash: expect.any(String), method: 'passkey', reason: 'wrong_assertion' }),
  );
});

describe('refused', () => {
  let passkey: OwnPasskey;
  beforeAll(async () => {
    ({ passkey } = await withPasskey());
  });
  const WRONG: [string, Misbehaviour, RegExp][] = [
    ['another origin', { origin: 'https://evil.example' }, /origin/],
    ['the origin with another port', { origin: 'http://localhost:3001' }, /origin/],
    ['the origin with another scheme', { origin: 'https://localhost:3000' }, /origin/],
    ['an origin that begins with ours', { origin: 'http://localhost:3000.evil.example' }, /origin/],
    ['the origin in capitals', { origin: 'http://LOCALHOST:3000' }, /origin/],
    ['another relying party', { rpId: 'evil.example' }, /relying party/],
    ['a user who was not present', { userPresent: false }, /seen/],
    ['a user who was not verified', { userVerified: false }, /verified/],
    ['a registration', { type: 'webauthn.create' }, /webauthn\.get/],
    ['a page in a frame', { clientData: { crossOrigin: true } }, /frame/],
    ['a page below another one', { clientData: { topOrigin: 'https://evil.example' } }, /frame/],
    ['a key that was not backed up and now can be', { backupEligible: false, backedUp: false }, /backed up/],
    ['a backup of what has none', { backupEligible: false }, /well-formed/],
    [
      'another signature',
      { signature: (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(1, 2)]) },
      /signed/,
    ],
    ['no DER', { signature: () => randomBytes(64) }, /signed/],
    ['nobody’s credential', { credentialId: randomBytes(32) }, /unknown/],
    ['no user handle', { userHandle: null }, /unknown/],
    ['another user handle', { userHandle: Buffer.from('somebody').toString('base64url') }, /unknown/],
    ['client data that is no JSON', { clientDataBytes: Buffer.from('{') }, /client data/],
    ['client data that is no object', { clientDataBytes: Buffer.from('null') }, /client data/],
    ['client data that is no UTF-8', { clientDataBytes: Buffer.of(0x22, 0xff, 0x22) }, /client data/],
    ['client data without a challenge', { clientData: { challenge: undefined } }, /client data/],
    ['truncated authenticator data', { authenticatorData: (bytes) => bytes.subarray(0, 36) }, /well-formed/],
    [
      'a byte too many',
      { authenticatorData: (bytes) => Buffer.concat([bytes, Buffer.of(0)]) },
      /well-formed/,
    ],
    ['extensions that are none', { extensions: [1] }, /well-formed/],
  ];
  test.each(WRONG)('%s', async (_name, wrong, detail) => {
    expect(await failsWith(passkey, wrong)).toMatch(detail);
  });

  test('tampered fields: each of them is signed', async () => {
    const flip = (text: string, at: number) => {
      const bytes = Buffer.from(text, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      return bytes.toString('base64url');
    };
    const { authenticator } = passkey;
    for (const field of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
      for (const at of [0, 10, 33, 36]) {
        const assertion = authenticator.authenticate(await requestOptions(ctx));
        const response = { ...assertion.response, [field]: flip(assertion.response[field], at) };
        const reply = await logInWith(ctx, { ...assertion, response });
        expect([field, at, reply.body.code]).toEqual([field, at, 'invalid_assertion']);
      }
    }
  });

  test('the challenge of a registration', async () => {
    const person = await registerPerson(ctx);
    const own = await addOwnPasskey(ctx, person);
    const { challenge } = await creationOptions(ctx, person);
    expect(await failsWith(own, { challenge })).toMatch(/challenge/);
  });

  test('a passkey of another user, with whatever handle', async () => {
    const other = await withPasskey();
    // The key of one and the credential of the other.
    const { credentialId, userHandle } = other.passkey.authenticator;
    expect(await failsWith(passkey, { credentialId, userHandle })).toMatch(/unknown/);
    expect(await failsWith(passkey, { userHandle })).toMatch(/unknown/);
  });

  test('what is no assertion at all', async () => {
    const assertion = await assertionOf(ctx, passkey);
    const { response } = assertion;
    const bodies = [
      {},
      { ...assertion, type: 'password' },
      { ...assertion, rawId: 'AAAA' },
      { ...assertion, id: '' },
      { ...assertion, id: ['AAAA'], rawId: ['AAAA'] },
      { ...assertion, id: 'A'.repeat(1365), rawId: 'A'.repeat(1365) },
      { ...assertion, response: [] },
      { ...assertion, response: { ...response, signature: 'A'.repeat(1025) } },
      { ...assertion, response: { ...response, signature: '+/==' } },
      { ...assertion, response: { ...response, clientDataJSON: 'A'.repeat(8193) } },
      { ...assertion, response: { ...response, authenticatorData: 7 } },
      { ...assertion, response: { ...response, userHandle: 'A'.repeat(87) } },
    ];
    for (const body of bodies) {
      const reply = await logInWith(ctx, body);
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
    }
    // Nothing of this has used up the challenge.
    expect((await logInWith(ctx, assertion)).status).toBe(200);
  });
});

test('members that a later level adds are no error, and a user handle of null is none', async () => {
  const { passkey } = await withPasskey();
  const assertion = await assertionOf(ctx, passkey, { clientData: { tokenBinding: {}, next: 1 } });
  const next = { ...assertion, next: true, response: { ...assertion.response, next: 'x' } };
  expect((await logInWith(ctx, next)).status).toBe(200);
  const extended = await assertionOf(ctx, passkey, { extensions: new Map([['uvm', [[2, 4, 2]]]]) });
  expect((await logInWith(ctx, extended)).status).toBe(200);
  const nameless = await assertionOf(ctx, passkey);
  const response = { ...nameless.response, userHandle: null };
  expect((await logInWith(ctx, { ...nameless, response })).body.code).toBe('invalid_assertion');
});

test('a counter that does not rise is told and written down, and lets the user in', async () => {
  const { person, passkey } = await withPasskey();
  const { authenticator } = passkey;
  authenticator.signCount = 7;
  expect((await logInWith(ctx, await assertionOf(ctx, passkey))).status).toBe(200);
  const listed = async () => {
    const request = { params: { id: 'me' }, token: person.accessToken };
    return (await call(listPasskeys, ctx, request)).body.passkeys[0];
  };
  expect((await listed()).suspectedCloneAt).toBeNull();
  later(ctx, 1);
  authenticator.signCount = 7;
  expect((await logInWith(ctx, await assertionOf(ctx, passkey))).status).toBe(200);
  const at = ctx.clock.now.toISOString();
  expect(await listed()).toMatchObject({ suspectedCloneAt: at, lastUsedAt: at });
  expect(ctx.logged.filter(({ message }) => message.includes('signature counter'))).toEqual([
    expect.objectContaining({ level: 'warn', userId: person.user.id, credential: passkey.id }),
  ]);
  expect(await auditOf(person.user.id, 'passkey.clone_suspected')).toEqual([
    { passkeyId: passkey.id, signCount: 7 },
  ]);
  // Back to 0 is suspicious as well; higher than ever is not, and what was suspected stays to be seen.
  later(ctx, 1);
  expect((await logInWith(ctx, await assertionOf(ctx, passkey, { signCount: 0 }))).status).toBe(200);
  const again = ctx.clock.now.toISOString();
  later(ctx, 1);
  authenticator.signCount = 2 ** 32 - 1;
  expect((await logInWith(ctx, await assertionOf(ctx, passkey))).status).toBe(200);
  expect((await listed()).suspectedCloneAt).toBe(again);
});

test('a counter of 0 for ever is one that does not count', async () => {
  const { person, passkey } = await withPasskey();
  for (let index = 0; index < 3; index++)
    expect((await logInWith(ctx, await assertionOf(ctx, passkey, { signCount: 0 }))).status).toBe(200);
  expect(await auditOf(person.user.id, 'passkey.clone_suspected')).toEqual([]);
});

test('a change of the user between lookup and lock does not matter, a removal of the passkey does', async () => {
  const { person, passkey } = await withPasskey();
  const assertion = await assertionOf(ctx, passkey);
  await ctx.db.updateTable('users').set({ version: 7 }).where('id', '=', person.user.id).execute();
  expect((await logInWith(ctx, assertion)).status).toBe(200);
  await ctx.db.deleteFrom('passkeys').where('id', '=', passkey.id).execute();
  expect(await failsWith(passkey, {})).toMatch(/unknown/);
});

test('failures are in the audit log; strangers’ passkeys too, without a user', async () => {
  const { person, passkey } = await withPasskey();
  await failsWith(passkey, { origin: 'https://evil.example' });
  expect(await auditOf(person.user.id, 'session.failed')).toEqual([
    { nameHash: expect.any(String), method: 'passkey', reason: 'wrong_assertion' },
  ]);
  const stranger = { authenticator: new SoftwareAuthenticator() };
  stranger.authenticator.userHandle = 'AAAA';
  expect((await logInWith(ctx, await assertionOf(ctx, stranger))).body.code).toBe('invalid_assertion');
  const rows = await ctx.db
    .selectFrom('audit_log')
    .select(['subject', 'details'])
    .where('type', '=', 'session.failed')
    .where('subject', 'is', null)
    .execute();
  expect(rows.map(({ details }) => details?.['reason'])).toContain('unknown_passkey');
});

test('both requests are limited by address', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_PASSKEY_ADDRESS: '4/900' });
  const person = await registerPerson(limited);
  const passkey = await addOwnPasskey(limited, person);
  const first = await assertionOf(limited, passkey);
  const second = await assertionOf(limited, passkey);
  const [right, wrong] = [await logInWith(limited, first), await logInWith(limited, first)];
  expect([right.status, wrong.status]).toEqual([200, 401]);
  const refused = await logInWith(limited, second);
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '900']);
  expect((await logInWith(limited, second, '198.51.100.1')).status).toBe(200);
  await limited.close();
});
