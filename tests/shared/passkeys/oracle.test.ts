// Our verdict on registrations and assertions, honest and mutated, beside that of @simplewebauthn/server. Each deliberate
// difference is named.
import { generateKeyPairSync } from 'node:crypto';
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import fc from 'fast-check';
import * as v from 'valibot';
import { AuthenticationResponse, NewPasskey } from '../../../shared/passkeys/fields';
import { verifyAssertion } from '../../../shared/passkeys/verify-assertion';
import { verifyRegistration } from '../../../shared/passkeys/verify-registration';
import {
  type Algorithm,
  type AuthenticationJSON,
  type Misbehaviour,
  ORIGIN,
  type RegistrationJSON,
  SoftwareAuthenticator,
} from '../../setup/authenticator';
import { type CborValue, encodeCbor } from '../../setup/cbor';

const RP = { id: 'localhost', origins: [ORIGIN] };
const CHALLENGE = Buffer.alloc(32, 'c').toString('base64url');
const OTHER = Buffer.alloc(32, 'd').toString('base64url');
const OPTIONS = { rp: RP, rpId: RP.id, user: { id: 'AAAA' }, challenge: CHALLENGE };
const ALGORITHMS: Algorithm[] = ['ES256', 'EdDSA', 'RS256'];
const EXPECTED = { expectedChallenge: CHALLENGE, expectedOrigin: ORIGIN, expectedRPID: RP.id };

const accepts = async (verify: () => boolean | Promise<boolean>): Promise<boolean> => {
  try {
    return await verify();
  } catch {
    return false;
  }
};

/** Browsers send nothing else than these types, and neither verifier is asked about others. */
type Sent<T> = T & { type: 'public-key'; authenticatorAttachment: 'platform' };
const asSent = <T extends { type: string; authenticatorAttachment: string }>(json: T): Sent<T> => ({
  ...json,
  type: 'public-key',
  authenticatorAttachment: 'platform',
});

async function judgeRegistration(json: RegistrationJSON) {
  return {
    ours: await accepts(() => {
      const { credential } = v.parse(NewPasskey, { credential: json });
      return verifyRegistration(credential, RP).challenge === CHALLENGE;
    }),
    oracle: await accepts(async () => {
      const response = { ...asSent(json), response: { ...json.response, transports: [] } };
      const supportedAlgorithmIDs = [-7, -8, -257];
      return (await verifyRegistrationResponse({ response, ...EXPECTED, supportedAlgorithmIDs })).verified;
    }),
  };
}

/** A credential as each of them stores it. */
async function enroll(authenticator: SoftwareAuthenticator) {
  const json = authenticator.register(OPTIONS);
  const { credential } = v.parse(NewPasskey, { credential: json });
  const ours = verifyRegistration(credential, RP);
  const { registrationInfo } = await verifyRegistrationResponse({
    response: { ...asSent(json), response: { ...json.response, transports: [] } },
    ...EXPECTED,
  });
  if (!registrationInfo) throw new Error('The oracle does not know an honest registration');
  return { ours, oracle: registrationInfo.credential };
}

async function judgeAssertion(json: AuthenticationJSON, stored: Awaited<ReturnType<typeof enroll>>) {
  const { userHandle, ...response } = json.response;
  return {
    ours: await accepts(
      () => verifyAssertion(v.parse(AuthenticationResponse, json), stored.ours, RP).challenge === CHALLENGE,
    ),
    oracle: await accepts(async () => {
      const sent = { ...asSent(json), response };
      const { verified } = await verifyAuthenticationResponse({
        response: sent,
        ...EXPECTED,
        credential: stored.oracle,
      });
      return verified;
    }),
  };
}

const [BOTH, NEITHER, OURS_ONLY, ORACLE_ONLY] = [
  { ours: true, oracle: true },
  { ours: false, oracle: false },
  { ours: true, oracle: false },
  { ours: false, oracle: true },
];
const setKey = (label: number, value: CborValue): Misbehaviour => ({
  coseKey: (key) => key.set(label, value),
});
const statement = (fmt: string, entries: [string, CborValue][]): Misbehaviour => ({
  attestation: (object) => object.set('fmt', fmt).set('attStmt', new Map(entries)),
});
const cut = (bytes: number): Misbehaviour => ({ authenticatorData: (data) => data.subarray(0, bytes) });
const weakRsa = () => {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  return Buffer.from(n, 'base64url');
};

/** The same at a registration and at a login. */
const CEREMONY: [string, Misbehaviour, object][] = [
  ['nothing', {}, BOTH],
  ['another origin', { origin: 'https://evil.example' }, NEITHER],
  ['an origin with a slash', { origin: `${ORIGIN}/` }, NEITHER],
  ['another relying party', { rpId: 'example.com' }, NEITHER],
  ['another challenge', { challenge: OTHER }, NEITHER],
  ['a padded challenge', { challenge: `${CHALLENGE}=` }, NEITHER],
  ['another type', { type: 'payment.get' }, NEITHER],
  ['no user presence', { userPresent: false }, NEITHER],
  ['no user verification', { userVerified: false }, NEITHER],
  ['a backup of what has none', { backupEligible: false, backedUp: true }, NEITHER],
  ['extensions', { extensions: new Map([['credProtect', 2]]) }, BOTH],
  ['a byte too many', { authenticatorData: (data) => Buffer.concat([data, Buffer.of(0)]) }, NEITHER],
  ['a head that is cut', cut(36), NEITHER],
  ['nothing at all', cut(0), NEITHER],
  ['client data that is no JSON', { clientDataBytes: Buffer.from('{}x') }, NEITHER],
  ['further members', { clientData: { next: { level: 4 } } }, BOTH],
  // Not in the specification any more: whoever gets it ignores it.
  ['a strange token binding', { clientData: { tokenBinding: { status: 'x' } } }, OURS_ONLY],
  // No page of ours is meant to be in a frame of a stranger.
  ['a frame of another origin', { clientData: { crossOrigin: true } }, ORACLE_ONLY],
];

const REGISTRATION: [string, Misbehaviour, object, Algorithm?][] = [
  ...CEREMONY,
  ['an attestation that is none', statement('none', [['x', 1]]), NEITHER],
  ['an attestation of no known format', statement('x', []), NEITHER],
  ['a self-attestation without a signature', statement('packed', [['alg', -7]]), NEITHER],
  [
    'a wrong self-attestation',
    statement('packed', [
      ['alg', -7],
      ['sig', Buffer.alloc(70, 1)],
    ]),
    NEITHER,
  ],
  ['an algorithm that was not offered', setKey(3, -35), NEITHER],
  ['no algorithm', setKey(3, null), NEITHER],
  ['a key that is none', { coseKey: () => [1] }, NEITHER],
  ['a credential that is cut', cut(80), NEITHER],
  ['no credential', { authenticatorData: withoutCredential }, NEITHER],
  ['a top origin', { clientData: { topOrigin: ORIGIN } }, ORACLE_ONLY],
  // The oracle looks at a key at its first use only. We would store one that can never log in.
  ['a key type of another algorithm', setKey(1, 1), ORACLE_ONLY],
  ['a point that is not on the curve', setKey(-2, Buffer.alloc(32, 7)), ORACLE_ONLY],
  ['another curve', setKey(-1, 8), ORACLE_ONLY],
  ['a coordinate that is too long', setKey(-3, Buffer.alloc(33, 1)), ORACLE_ONLY],
  ['a weak RSA key', setKey(-1, weakRsa()), ORACLE_ONLY, 'RS256'],
  ['an RSA exponent of 5 bytes', setKey(-2, Buffer.of(1, 0, 0, 0, 1)), ORACLE_ONLY, 'RS256'],
];

const ASSERTION: [string, Misbehaviour, object][] = [
  ...CEREMONY,
  ['a top origin without a frame', { clientData: { topOrigin: ORIGIN } }, NEITHER],
  ['another signature', { signature: (bytes) => Buffer.from(bytes).fill(1, 8, 16) }, NEITHER],
  ['an empty signature', { signature: () => Buffer.of(0) }, NEITHER],
  ['a signature that is cut', { signature: (bytes) => bytes.subarray(0, -1) }, NEITHER],
  // Section 7.2: it never changes.
  ['no more backups', { backupEligible: false, backedUp: false }, ORACLE_ONLY],
  // Reported, not refused: docs/security.md, "Passkeys".
  ['a counter that does not rise', { signCount: 0 }, OURS_ONLY],
];

function withoutCredential(bytes: Buffer): Buffer {
  const head = Buffer.from(bytes.subarray(0, 37));
  head.writeUInt8(head.readUInt8(32) & ~0x40, 32);
  return head;
}

describe('registrations', () => {
  test.each(REGISTRATION)('%s', async (...[_name, wrong, verdict, algorithm]) => {
    const json = new SoftwareAuthenticator(algorithm).register(OPTIONS, wrong);
    expect(await judgeRegistration(json)).toEqual(verdict);
  });

  test('bytes behind the attestation object, which the oracle does not look at', async () => {
    const json = new SoftwareAuthenticator().register(OPTIONS);
    const bytes = Buffer.concat([Buffer.from(json.response.attestationObject, 'base64url'), Buffer.of(0)]);
    const response = { ...json.response, attestationObject: bytes.toString('base64url') };
    expect(await judgeRegistration({ ...json, response })).toEqual(ORACLE_ONLY);
  });

  test.each(ALGORITHMS)('%s: ours and the oracle’s key are the same', async (algorithm) => {
    const authenticator = new SoftwareAuthenticator(algorithm);
    const stored = await enroll(authenticator);
    expect(stored.ours.publicKey).toEqual(authenticator.publicKey.export({ type: 'spki', format: 'der' }));
    expect(stored.ours.credentialId.toString('base64url')).toBe(stored.oracle.id);
  });
});

describe('assertions', () => {
  test.each(ASSERTION)('%s', async (_name, wrong, verdict) => {
    const judged = [];
    for (const algorithm of ALGORITHMS) {
      const authenticator = new SoftwareAuthenticator(algorithm);
      authenticator.signCount = 5;
      const stored = await enroll(authenticator);
      judged.push(await judgeAssertion(authenticator.authenticate(OPTIONS, wrong), stored));
    }
    expect(judged).toEqual(ALGORITHMS.map(() => verdict));
  });

  test('a signature by another key, of each algorithm', async () => {
    for (const algorithm of ALGORITHMS) {
      const stored = await enroll(new SoftwareAuthenticator(algorithm));
      for (const other of ALGORITHMS) {
        const json = new SoftwareAuthenticator(other).authenticate(OPTIONS);
        expect(await judgeAssertion(json, stored)).toEqual(NEITHER);
      }
    }
  });

  test('300 honest ones, whose r and s are short at times', async () => {
    const authenticator = new SoftwareAuthenticator('ES256');
    const stored = await enroll(authenticator);
    for (let index = 0; index < 300; index++)
      expect(await judgeAssertion(authenticator.authenticate(OPTIONS), stored)).toEqual(BOTH);
  });
});

describe('one changed byte, anywhere', () => {
  const change = (text: string, place: number, by: number) => {
    const bytes = Buffer.from(text, 'base64url');
    const at = Math.floor(place * bytes.length);
    bytes.writeUInt8(bytes.readUInt8(at) ^ by, at);
    return bytes.toString('base64url');
  };
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const by = fc.integer({ min: 1, max: 255 });

  test.each(ALGORITHMS)('%s: of an assertion', async (algorithm) => {
    const authenticator = new SoftwareAuthenticator(algorithm);
    const stored = await enroll(authenticator);
    const field = fc.constantFrom(
      'clientDataJSON' as const,
      'authenticatorData' as const,
      'signature' as const,
    );
    await fc.assert(
      fc.asyncProperty(field, place, by, async (name, where, bits) => {
        const json = authenticator.authenticate(OPTIONS);
        const response = { ...json.response, [name]: change(json.response[name], where, bits) };
        const { ours, oracle } = await judgeAssertion({ ...json, response }, stored);
        // The oracle reads r and s also out of what is no DER; Node.js does not (section 6.5.5 asks for DER).
        const isDer = algorithm === 'ES256' && name === 'signature';
        expect({ ours, oracle: oracle && !isDer }).toEqual(NEITHER);
      }),
      { numRuns: 300 },
    );
  });

  test.each(ALGORITHMS)('%s: of a registration, ours never accepts more', async (algorithm) => {
    const authenticator = new SoftwareAuthenticator(algorithm);
    const field = fc.constantFrom('clientDataJSON' as const, 'attestationObject' as const);
    await fc.assert(
      fc.asyncProperty(field, place, by, async (name, where, bits) => {
        const json = authenticator.register(OPTIONS);
        const response = { ...json.response, [name]: change(json.response[name], where, bits) };
        const { ours, oracle } = await judgeRegistration({ ...json, response });
        expect(ours && !oracle).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

test('the encoder of the tests is that of the oracle', async () => {
  const { isoCBOR } = await import('@simplewebauthn/server/helpers');
  const value = new Map<number | string, CborValue>([
    [1, -7],
    ['list', [true, false, null, Buffer.alloc(300), 70_000]],
  ]);
  const decoded = isoCBOR.decodeFirst<Map<number | string, unknown>>(new Uint8Array(encodeCbor(value)));
  expect(decoded.get(1)).toBe(-7);
  expect(decoded.get('list')).toEqual([true, false, null, new Uint8Array(300), 70_000]);
});
