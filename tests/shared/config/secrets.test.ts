// What a deployed function has to do before its configuration is complete, over the wire of Secrets Manager.
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { addSecrets } from '../../../shared/config/environment';
import { signedHeaders } from '../../../shared/config/get-secret';
import { withSecrets } from '../../../shared/config/secrets';
import { type AwsServer, jsonError, startAwsServer } from '../../setup/aws-server';

const ACCESS = {
  region: 'eu-central-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session',
};

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array));
  }
  update(data: Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return this.#hash.digest();
  }
}

test("signs as AWS's own client does", async () => {
  const now = new Date('2026-11-21T12:34:56.789Z');
  const host = 'secretsmanager.eu-central-1.amazonaws.com';
  const body = JSON.stringify({ SecretId: 'rollcall/prod' });
  const ours = signedHeaders(ACCESS, host, body, now);
  const signer = new SignatureV4({
    service: 'secretsmanager',
    region: ACCESS.region,
    credentials: ACCESS,
    sha256: Sha256 as ConstructorParameters<typeof SignatureV4>[0]['sha256'],
    applyChecksum: false,
  });
  const theirs = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: host,
      path: '/',
      headers: {
        host,
        'content-type': ours['content-type'] ?? '',
        'x-amz-target': ours['x-amz-target'] ?? '',
      },
      body,
    },
    { signingDate: now },
  );
  expect(ours['authorization']).toBe(theirs.headers['authorization']);
});

describe('a function', () => {
  let aws: AwsServer;
  const before = { ...process.env };
  beforeEach(async () => {
    aws = await startAwsServer();
    process.env['AWS_ENDPOINT_URL'] = aws.url;
    process.env['AWS_REGION'] = ACCESS.region;
    process.env['SECRET_ID'] = 'rollcall/prod';
    process.env['JWT_ISSUER'] = 'given';
    delete process.env['JWT_SECRET'];
  });
  afterEach(async () => {
    await aws.stop();
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });

  const secret = (values: Record<string, string>) => ({
    body: JSON.stringify({ SecretString: JSON.stringify(values) }),
  });
  const handler = async () => [process.env['JWT_SECRET'], process.env['JWT_ISSUER']];

  test('asks once, at its start, and knows its secrets at the first call', async () => {
    aws.answers.set(
      'GetSecretValue',
      secret({ JWT_SECRET: 'the secret', JWT_ISSUER: 'other', PATH: '/evil' }),
    );
    const complete = withSecrets(handler);
    expect(await complete({})).toEqual(['the secret', 'given']);
    expect(await complete({})).toEqual(['the secret', 'given']);
    expect(aws.calls).toEqual(['GetSecretValue']);
    expect(process.env['PATH']).not.toBe('/evil');
  });

  test('asks again where Secrets Manager refused, and does its own work meanwhile', async () => {
    aws.answers.set('GetSecretValue', jsonError(400, 'AccessDeniedException', 'Not you'));
    const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const complete = withSecrets(handler);
    expect(await complete({})).toEqual([undefined, 'given']);
    expect(String(written.mock.calls[0]?.[0])).toMatch(/secret rollcall\/prod could not be read.*Not you/);
    written.mockRestore();
    aws.answers.set('GetSecretValue', secret({ JWT_SECRET: 'the secret' }));
    expect(await complete({})).toEqual(['the secret', 'given']);
  });

  test('has nothing to ask for where it is configured already', () => {
    delete process.env['SECRET_ID'];
    expect(withSecrets(handler)).toBe(handler);
  });
});

test('a secret that is no object of texts is refused', () => {
  expect(() => addSecrets('["a"]', {})).toThrow();
  expect(() => addSecrets('{"JWT_SECRET": 1}', {})).toThrow();
});
