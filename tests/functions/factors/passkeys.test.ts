import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { handler as login } from '../../../functions/auth/login';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as addPasskeyFunction } from '../../../functions/factors/add-passkey';
import { handler as createRecoveryCodes } from '../../../functions/factors/create-recovery-codes';
import { handler as listFactors } from '../../../functions/factors/list-factors';
import { handler as listPasskeys } from '../../../functions/factors/list-passkeys';
import { handler as passkeyOptions } from '../../../functions/factors/passkey-options';
import { handler as removeFactor } from '../../../functions/factors/remove-factor';
import { handler as removePasskey } from '../../../functions/factors/remove-passkey';
import { handler as renamePasskey } from '../../../functions/factors/rename-passkey';
import { handler as putRole } from '../../../functions/roles/put-role';
import { handler as changeRole } from '../../../functions/users/change-role';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as listSessions } from '../../../functions/users/list-sessions';
import { handler as removePassword } from '../../../functions/users/remove-password';
import { detailsOf } from '../../../shared/audit/event-details';
import { type Misbehaviour, SoftwareAuthenticator } from '../../setup/authenticator';
import { type CborValue, encodeCbor } from '../../setup/cbor';
import { type TestContext, testContext } from '../../setup/context';
import { addAuthenticator, later, recoveryCodes } from '../../setup/factors';
import { call } from '../../setup/http';
import { mailContext, readEvents } from '../../setup/mail-flow';
import {
  addOwnPasskey,
  assertionOf,
  creationOptions,
  logInWith as logInWithPasskey,
  register,
  requestOptions,
} from '../../setup/passkeys';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { logInWith } from '../../setup/roles';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const at = ({ accessToken: token }: { accessToken: string }, params: Record<string, string> = {}) => ({
  token,
  params: { id: 'me', ...params },
});
const list = async (person: Person, by: { accessToken: string } = person) =>
  (await call(listPasskeys, ctx, at(by, { id: person.user.id }))).body.passkeys;
const remove = (person: Person, passkeyId: string, by: { accessToken: string } = person) =>
  call(removePasskey, ctx, { method: 'DELETE', ...at(by, { id: person.user.id, passkeyId }) });
const rename = (person: { accessToken: string }, passkeyId: string, name: unknown, id = 'me') =>
  call(renamePasskey, ctx, { method: 'PUT', ...at(person, { id, passkeyId }), body: { name } });
const eventsOf = async ({ user }: Person) =>
  (await readEvents(ctx))
    .filter(({ type, subject }) => subject === user.id && type.startsWith('user.passkey'))
    .map(({ type, data }) => [type, data]);
/** Registers what a misbehaving authenticator makes. */
async function attempt(person: Person, wrong: Misbehaviour, authenticator = new SoftwareAuthenticator()) {
  return register(ctx, person, authenticator.register(await creationOptions(ctx, person), wrong));
}

test('the options are for a discoverable passkey of this user, with verification and without attestation', async () => {
  const person = await registerPerson(ctx, { displayName: 'Gorden F.' });
  const options = await creationOptions(ctx, person);
  expect(options).toEqual({
    rp: { id: 'localhost', name: 'Rollcall' },
    user: {
      id: Buffer.from(person.user.id).toString('base64url'),
      name: person.user.username,
      displayName: 'Gorden F.',
    },
    challenge: expect.stringMatching(/^[\w-]{43}$/),
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
    timeout: 300_000,
    excludeCredentials: [],
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    attestation: 'none',
  });
  const { authenticator } = await addOwnPasskey(ctx, person);
  const next = await creationOptions(ctx, person);
  expect(next.challenge).not.toBe(options.challenge);
  expect(next.excludeCredentials).toEqual([
    {
      type: 'public-key',
      id: authenticator.credentialId.toString('base64url'),
      transports: ['internal', 'hybrid'],
    },
  ]);
});

test('a passkey is registered, listed, renamed and removed', async () => {
  const person = await registerPerson(ctx);
  const authenticator = new SoftwareAuthenticator();
  const credential = authenticator.register(await creationOptions(ctx, person));
  const { status, body } = await register(ctx, person, credential);
  expect([status, body]).toEqual([
    201,
    {
      id: expect.any(String),
      credentialId: authenticator.credentialId.toString('base64url'),
      name: 'Passkey',
      createdAt: ctx.clock.now.toISOString(),
      lastUsedAt: null,
      backedUp: true,
      suspectedCloneAt: null,
    },
  ]);
  expect(await list(person)).toEqual([body]);
  const renamed = await rename(person, body.id, '  Laptop 💻 ');
  expect([renamed.status, renamed.body]).toEqual([200, { ...body, name: 'Laptop 💻' }]);
  for (const name of ['', ' ', 'x'.repeat(101), null, 7])
    expect((await rename(person, body.id, name)).body.code).toBe('invalid_request');
  expect((await rename(person, body.id, '💻'.repeat(100))).status).toBe(200);
  expect((await remove(person, body.id)).status).toBe(204);
  expect(await list(person)).toEqual([]);
  expect((await remove(person, body.id)).body.code).toBe('not_found');
  expect((await rename(person, body.id, 'x')).body.code).toBe('not_found');
  expect(await eventsOf(person)).toEqual([
    ['user.passkey_added', { id: person.user.id, passkeyId: body.id }],
    ['user.passkey_removed', { id: person.user.id, passkeyId: body.id }],
  ]);
});

test('a name of one’s own, and whether it is backed up', async () => {
  const person = await registerPerson(ctx);
  const key = new SoftwareAuthenticator('EdDSA');
  const options = await creationOptions(ctx, person);
  const wrong = { backupEligible: false, backedUp: false };
  const { body } = await register(ctx, person, key.register(options, wrong), 'Security key');
  expect(body).toMatchObject({ name: 'Security key', backedUp: false });
  const use = await assertionOf(ctx, { authenticator: key }, wrong);
  expect((await logInWithPasskey(ctx, use)).status).toBe(200);
  // What can be backed up may be only later.
  const phone = new SoftwareAuthenticator();
  const mine = await register(
    ctx,
    person,
    phone.register(await creationOptions(ctx, person), { backedUp: false }),
  );
  expect(mine.body.backedUp).toBe(false);
  expect((await logInWithPasskey(ctx, await assertionOf(ctx, { authenticator: phone }))).status).toBe(200);
  expect((await list(person)).map(({ backedUp }: { backedUp: boolean }) => backedUp)).toEqual([false, true]);
});

describe('a registration is refused', () => {
  let person: Person;
  beforeAll(async () => {
    person = await registerPerson(ctx);
  });
  const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
  const swap = (label: number, value: CborValue): Misbehaviour => ({
    coseKey: (key) => key.set(label, value),
  });
  const statement = (fmt: string, attStmt: Map<string, CborValue>): Misbehaviour => ({
    attestation: (object) => object.set('fmt', fmt).set('attStmt', attStmt),
  });
  const WRONG: [string, Misbehaviour, RegExp][] = [
    ['from another origin', { origin: 'https://evil.example' }, /origin/],
    ['for another relying party', { rpId: 'example.com' }, /relying party/],
    ['of the type of a login', { type: 'webauthn.get' }, /webauthn\.create/],
    ['in a frame', { clientData: { crossOrigin: true } }, /frame/],
    ['without a user', { userPresent: false }, /seen/],
    ['without user verification', { userVerified: false }, /verified/],
    ['backed up, but not able to be', { backupEligible: false }, /well-formed/],
    ['with a challenge of its own', { challenge: randomBytes(32).toString('base64url') }, /challenge/],
    ['with an algorithm that was not offered', swap(3, -35), /public key/],
    ['with the key type of another algorithm', swap(1, 3), /public key/],
    ['on another curve', swap(-1, 2), /public key/],
    ['with a point that is not on the curve', swap(-2, Buffer.alloc(32, 7)), /public key/],
    ['with a coordinate of 48 bytes', swap(-2, Buffer.from(p384().x ?? '', 'base64url')), /public key/],
    ['without a coordinate', swap(-3, null), /public key/],
    ['with a key that is a list', { coseKey: () => [1, 2] }, /public key/],
    ['with truncated data', { authenticatorData: (bytes) => bytes.subarray(0, -1) }, /well-formed/],
    ['with data that ends in the id', { authenticatorData: (bytes) => bytes.subarray(0, 60) }, /well-formed/],
    [
      'with data that ends in the head',
      { authenticatorData: (bytes) => bytes.subarray(0, 20) },
      /well-formed/,
    ],
    [
      'with bytes behind the data',
      { authenticatorData: (b) => Buffer.concat([b, Buffer.of(0)]) },
      /well-formed/,
    ],
    ['without a credential', { authenticatorData: noCredential }, /public key/],
    ['with an attestation that is none', statement('none', new Map([['x', 1]])), /attestation/],
    ['with a strange attestation', statement('fido-u2f', new Map()), /attestation/],
    [
      'with a certificate',
      statement('packed', new Map<string, CborValue>([['x5c', [Buffer.of(1)]]])),
      /attestation/,
    ],
    ['with a wrong self-attestation', selfAttestation(Buffer.alloc(64)), /attestation/],
    ['without an attestation', { attestation: () => new Map() }, /attestation object/],
    ['with an attestation that is a text', { attestation: () => 'none' }, /attestation object/],
    [
      'with authenticator data that is a text',
      { attestation: (o) => o.set('authData', 'x') },
      /attestation object/,
    ],
  ];
  test.each(WRONG)('%s', async (_name, wrong, detail) => {
    const { status, body } = await attempt(person, wrong);
    expect([status, body.code, body.detail]).toEqual([422, 'invalid_passkey', expect.stringMatching(detail)]);
    expect(await list(person)).toEqual([]);
  });

  function noCredential(bytes: Buffer): Buffer {
    const head = Buffer.from(bytes.subarray(0, 37));
    head.writeUInt8(head.readUInt8(32) & ~0x40, 32);
    return head;
  }

  test('as garbage, in whatever CBOR', async () => {
    const authenticator = new SoftwareAuthenticator();
    const options = await creationOptions(ctx, person);
    const credential = authenticator.register(options);
    const whole = Buffer.from(credential.response.attestationObject, 'base64url');
    const garbage = [
      Buffer.of(0),
      randomBytes(200),
      Buffer.alloc(12_000, 0x81), // Lists in lists.
      Buffer.alloc(12_000, 0xa1),
      Buffer.from('9b7fffffffffffffff', 'hex'), // A list of 2^63 items.
      Buffer.from('bb00000000ffffffff', 'hex'),
      Buffer.from('5b00000000ffffffff', 'hex'),
      Buffer.from('bf63666d74646e6f6e65ff', 'hex'), // Of indefinite length.
      Buffer.from('c0', 'hex'),
      Buffer.from('f97e00', 'hex'),
      Buffer.concat([whole, Buffer.of(0)]),
      encodeCbor(new Map<string, CborValue>([['fmt', 'none']])),
      ...Array.from({ length: 40 }, (_, index) => whole.subarray(0, index * 4)),
    ].filter(({ length }) => length > 0);
    for (const bytes of garbage) {
      const response = { ...credential.response, attestationObject: bytes.toString('base64url') };
      const reply = await register(ctx, person, { ...credential, response });
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid_passkey']);
    }
    // None of it has used up the challenge.
    expect((await register(ctx, person, credential)).status).toBe(201);
    await remove(person, (await list(person))[0].id);
  });

  test('beyond the sizes, or with other types', async () => {
    const credential = new SoftwareAuthenticator().register(await creationOptions(ctx, person));
    const { response } = credential;
    for (const wrong of [
      null,
      [],
      { ...credential, id: 'AAAA' },
      { ...credential, id: '', rawId: '' },
      { ...credential, type: 'x' },
      { ...credential, response: { ...response, attestationObject: 'A'.repeat(16_385) } },
      { ...credential, response: { ...response, clientDataJSON: 'A'.repeat(8193) } },
      { ...credential, response: { ...response, clientDataJSON: `${response.clientDataJSON}=` } },
      { ...credential, response: { ...response, transports: 'usb' } },
    ]) {
      const body = { credential: wrong };
      const reply = await call(addPasskeyFunction, ctx, { method: 'POST', ...at(person), body });
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid_request']);
    }
    const body = { credential, name: 'x'.repeat(101) };
    const reply = await call(addPasskeyFunction, ctx, { method: 'POST', ...at(person), body });
    expect(reply.body.errors).toEqual([{ path: 'name', message: expect.stringContaining('100') }]);
  });

  test('with the challenge of another user, of a login, a used one, or an expired one', async () => {
    const [other, authenticator] = [await registerPerson(ctx), new SoftwareAuthenticator()];
    const mine = await creationOptions(ctx, person);
    const outcomes: unknown[] = [];
    const send = async (challenge: string) => {
      const reply = await register(ctx, person, authenticator.register({ ...mine, challenge }));
      outcomes.push([reply.body.code, reply.body.detail]);
    };
    await send((await creationOptions(ctx, other)).challenge);
    await send((await requestOptions(ctx)).challenge);
    expect((await register(ctx, person, authenticator.register(mine))).status).toBe(201);
    await send(mine.challenge);
    const late = await creationOptions(ctx, person);
    later(ctx, 300);
    await send(late.challenge);
    expect(outcomes).toEqual(Array(4).fill(['invalid_passkey', expect.stringMatching(/challenge/)]));
    await remove(person, (await list(person))[0].id);
  });
});

/** A signature by the new key itself: what a browser leaves as it is. */
function selfAttestation(signature?: Buffer): Misbehaviour & { by?: SoftwareAuthenticator } {
  const by = new SoftwareAuthenticator();
  const attestation: Misbehaviour['attestation'] = (object, authData, clientDataHash) =>
    object.set('fmt', 'packed').set(
      'attStmt',
      new Map<string, CborValue>([
        ['alg', -7],
        ['sig', signature ?? by.sign(authData, clientDataHash)],
      ]),
    );
  return { attestation, by };
}

test('a self-attestation is checked and taken', async () => {
  const person = await registerPerson(ctx);
  const { by, ...wrong } = selfAttestation();
  expect((await attempt(person, wrong, by)).status).toBe(201);
  // By another key than the new one.
  const { by: _other, ...forged } = selfAttestation();
  expect((await attempt(person, forged)).body.code).toBe('invalid_passkey');
});

test('the key of the attestation object counts; what a script says beside it does not', async () => {
  const person = await registerPerson(ctx);
  const [honest, thief] = [new SoftwareAuthenticator(), new SoftwareAuthenticator()];
  const credential = honest.register(await creationOptions(ctx, person));
  const forged = thief.register(await creationOptions(ctx, person));
  const { publicKey, authenticatorData } = forged.response;
  const response = { ...credential.response, publicKey, authenticatorData, publicKeyAlgorithm: -257 };
  expect((await register(ctx, person, { ...credential, response })).status).toBe(201);
  thief.credentialId = honest.credentialId;
  const stolen = await logInWithPasskey(ctx, await assertionOf(ctx, { authenticator: thief }));
  expect(stolen.body.code).toBe('invalid_assertion');
  expect((await logInWithPasskey(ctx, await assertionOf(ctx, { authenticator: honest }))).status).toBe(200);
  // Nor can the id be another than that of the credential.
  const { id } = forged;
  const own = new SoftwareAuthenticator().register(await creationOptions(ctx, person));
  expect((await register(ctx, person, { ...own, id, rawId: id })).body.code).toBe('invalid_passkey');
});

test('transports are hints, of which only words are kept', async () => {
  const person = await registerPerson(ctx);
  const credential = new SoftwareAuthenticator().register(await creationOptions(ctx, person));
  const transports = ['usb', 'smart-card', '<b>', 'X', '', 'y'.repeat(33), ...Array(20).fill('nfc')];
  const response = { ...credential.response, transports };
  expect((await register(ctx, person, { ...credential, response })).status).toBe(201);
  const [{ transports: kept }] = (await creationOptions(ctx, person)).excludeCredentials;
  expect(kept).toEqual(['usb', 'smart-card', ...Array(8).fill('nfc')]);
});

test('a credential of another user is a conflict, and so is one’s own again', async () => {
  const [owner, other] = [await registerPerson(ctx), await registerPerson(ctx)];
  const { authenticator } = await addOwnPasskey(ctx, owner);
  for (const person of [other, owner]) {
    const credential = authenticator.register(await creationOptions(ctx, person));
    const reply = await register(ctx, person, credential);
    expect([reply.status, reply.body.code]).toEqual([409, 'passkey_taken']);
  }
  expect(await list(other)).toEqual([]);
  expect(await eventsOf(other)).toEqual([]);
});

test('of fifty registrations at once with one response, one counts; and ten passkeys are the most', async () => {
  const person = await registerPerson(ctx);
  const credential = new SoftwareAuthenticator().register(await creationOptions(ctx, person));
  const replies = await Promise.all(Array.from({ length: 50 }, () => register(ctx, person, credential)));
  expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array(49).fill(422)]);
  expect(await eventsOf(person)).toHaveLength(1);
  // Options for more than there is room for.
  const ready = [];
  for (let index = 0; index < 12; index++) ready.push(await creationOptions(ctx, person));
  const each = await Promise.all(
    ready.map((options) => register(ctx, person, new SoftwareAuthenticator().register(options))),
  );
  const codes = each.map(({ status, body }) => body.code ?? status).sort();
  expect(codes).toEqual([...Array(9).fill(201), ...Array(3).fill('too_many_factors')]);
  expect(await list(person)).toHaveLength(10);
  const refused = await call(passkeyOptions, ctx, { method: 'POST', ...at(person) });
  expect([refused.status, refused.body.code]).toEqual([409, 'too_many_factors']);
});

test('a stolen access token alone adds and removes nothing', async () => {
  const person = await registerPerson(ctx);
  const thief = (await call(login, ctx, { method: 'POST', body: credentialsOf(person) })).body;
  const options = await creationOptions(ctx, person);
  const { id } = await addOwnPasskey(ctx, person);
  // A login by the password alone, from just before.
  expect((await remove(person, id, thief)).body.code).toBe('reauthentication_required');
  const credential = new SoftwareAuthenticator().register(options);
  expect((await register(ctx, thief, credential)).body.code).toBe('reauthentication_required');
  later(ctx, 600);
  const asked = await call(passkeyOptions, ctx, { method: 'POST', ...at(person) });
  for (const reply of [asked, await register(ctx, person, credential), await remove(person, id)])
    expect([reply.status, reply.body.code]).toEqual([401, 'reauthentication_required']);
  // A name is no way in.
  expect((await rename(person, id, 'Mine')).status).toBe(200);
});

const credentialsOf = ({ user }: Person) => ({ username: user.username, password: PASSWORD });

test('support removes a passkey that was lost, but adds and renames none, and exceeds nobody’s role', async () => {
  const admin = await logInAdmin(ctx);
  const support = await logInWith(ctx, admin, ['users:read', 'users:write']);
  const person = await registerPerson(ctx);
  const { id } = await addOwnPasskey(ctx, person);
  const stranger = await registerPerson(ctx);
  expect(await list(person, support)).toHaveLength(1);
  const strange = await call(listPasskeys, ctx, at(stranger, { id: person.user.id }));
  expect(strange.body.code).toBe('forbidden');
  const asked = await call(passkeyOptions, ctx, { method: 'POST', ...at(support, { id: person.user.id }) });
  expect(asked.body.code).toBe('forbidden');
  expect((await rename(support, id, 'x', person.user.id)).body.code).toBe('forbidden');
  expect((await rename(stranger, id, 'x')).body.code).toBe('not_found');
  expect((await remove(person, id, stranger)).body.code).toBe('forbidden');
  // A passkey of another user, at the path of one's own.
  expect((await remove(stranger, id)).body.code).toBe('not_found');
  expect((await remove(person, id, support)).status).toBe(204);
  const { id: next } = await addOwnPasskey(ctx, person);
  later(ctx, 600);
  expect((await remove(person, next, support)).body.code).toBe('reauthentication_required');
  const chief = await logInAdmin(ctx);
  const { id: of } = await addOwnPasskey(ctx, chief);
  expect((await remove(chief, of, support)).body.code).toBe('forbidden');
  const removed = (await readEvents(ctx)).filter(
    ({ type, subject }) => subject === person.user.id && type === 'user.passkey_removed',
  );
  expect(removed.map(detailsOf)).toEqual([{ passkeyId: id }]);
});

test('a passkey is a second factor: recovery codes go with the last one of any kind', async () => {
  const person = await registerPerson(ctx);
  const codes = () => call(createRecoveryCodes, ctx, { method: 'POST', ...at(person) });
  expect((await codes()).body.code).toBe('no_second_factor');
  const { id } = await addOwnPasskey(ctx, person);
  expect((await codes()).status).toBe(201);
  const app = await addAuthenticator(ctx, person);
  const remaining = async () => (await call(listFactors, ctx, at(person))).body.recoveryCodes;
  expect((await remove(person, id)).status).toBe(204);
  expect(await remaining()).toBe(10);
  const { id: next } = await addOwnPasskey(ctx, person);
  const removal = { method: 'DELETE', ...at(person, { factorId: app.factorId }) };
  expect((await call(removeFactor, ctx, removal)).status).toBe(204);
  expect(await remaining()).toBe(10);
  await recoveryCodes(ctx, person);
  expect((await remove(person, next)).status).toBe(204);
  expect(await remaining()).toBe(0);
  expect((await call(login, ctx, { method: 'POST', body: credentialsOf(person) })).status).toBe(200);
});

test('the last way to sign in stays, whoever removes it, and of two at once one', async () => {
  const admin = await logInAdmin(ctx);
  const person = await registerPerson(ctx);
  const first = await addOwnPasskey(ctx, person);
  expect((await call(removePassword, ctx, { method: 'DELETE', ...at(person) })).status).toBe(204);
  for (const by of [person, admin]) {
    const reply = await remove(person, first.id, by);
    expect([reply.status, reply.body.code]).toEqual([409, 'last_sign_in_method']);
  }
  expect(await list(person)).toHaveLength(1);
  expect((await eventsOf(person)).map(([type]) => type)).toEqual(['user.passkey_added']);
  expect((await logInWithPasskey(ctx, await assertionOf(ctx, first))).status).toBe(200);
  const second = await addOwnPasskey(ctx, person);
  const replies = await Promise.all([remove(person, first.id), remove(person, second.id)]);
  expect(replies.map(({ status }) => status).sort()).toEqual([204, 409]);
  expect(await list(person)).toHaveLength(1);
});

test('a role that requires a factor is content with a passkey, which can be set up first', async () => {
  const admin = await logInAdmin(ctx);
  const name = `strict_${randomBytes(4).toString('hex')}`;
  const body = { permissions: ['users:read'], requiresFactor: true };
  await call(putRole, ctx, { method: 'PUT', params: { name }, token: admin.accessToken, body });
  const person = await registerPerson(ctx);
  await call(changeRole, ctx, {
    method: 'PUT',
    params: { id: person.user.id },
    token: admin.accessToken,
    body: { role: name },
  });
  const sessions = () => call(listSessions, ctx, at(person));
  expect((await sessions()).body.code).toBe('second_factor_setup_required');
  expect(await list(person)).toEqual([]);
  await addOwnPasskey(ctx, person);
  expect((await sessions()).status).toBe(200);
  await call(logout, ctx, { method: 'POST', token: person.accessToken });
});

test('each change sends a notice', async () => {
  // With a log of its own: the consumer handles all of it in one call.
  const mail = await mailContext({ PUBLIC_URL: 'http://localhost:3000' });
  const person = await registerPerson(mail.ctx);
  await addOwnPasskey(mail.ctx, person);
  const { id: passkeyId } = await addOwnPasskey(mail.ctx, person);
  await call(removePasskey, mail.ctx, { method: 'DELETE', ...at(person, { passkeyId }) });
  expect((await mail.deliver()).map(({ subject }) => subject)).toEqual([
    expect.stringContaining('Confirm'),
    'A passkey was added to your Rollcall account',
    'A passkey was added to your Rollcall account',
    'A passkey was removed from your Rollcall account',
  ]);
  await mail.close();
});

test('a deleted user leaves no passkey and no challenge', async () => {
  const person = await registerPerson(ctx);
  await addOwnPasskey(ctx, person);
  await creationOptions(ctx, person);
  expect((await call(deleteUser, ctx, { method: 'DELETE', ...at(person) })).status).toBe(200);
  for (const table of ['passkeys', 'passkey_challenges'] as const) {
    const rows = await ctx.db.selectFrom(table).where('user_id', '=', person.user.id).selectAll().execute();
    expect(rows).toEqual([]);
  }
});

test('adding is limited per user', async () => {
  const limited = await testContext({ RATE_LIMITS: 'on', RATE_LIMIT_UPDATE_ACCOUNT: '3/3600' });
  const person = await registerPerson(limited);
  await addOwnPasskey(limited, person);
  await creationOptions(limited, person);
  const reply = await call(passkeyOptions, limited, { method: 'POST', ...at(person) });
  expect([reply.status, reply.headers['retry-after']]).toEqual([429, '3600']);
  await limited.close();
});
