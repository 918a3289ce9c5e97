// `npm run deploy` with the real client against a server that speaks AWS's protocols: what it finds before the first
// change, in what order it goes on, and that whatever fails, nothing was done that serves anybody.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertRoomToReserve, checkSecret, findStack, whoAmI } from '../../scripts/deploy/checks';
import { migrate } from '../../scripts/deploy/migrate';
import { readParameters } from '../../scripts/deploy/parameters';
import type { ResolvedService } from '../../scripts/deploy/run-serverless';
import { VARIABLES } from '../../shared/config/environment';
import { type AwsServer, jsonError, startAwsServer, xml, xmlError } from '../setup/aws-server';

const SECRET = {
  DATABASE_URL: 'postgres://rollcall:hunter2@db.example.com/rollcall?sslmode=verify-full',
  RABBITMQ_URL: 'amqps://rollcall:hunter2@mq.example.com/rollcall',
  JWT_SECRET: 'hunter2hunter2hunter2hunter2hunter2',
};
const FUNCTION = '/2015-03-31/functions/rollcall-prod-migrate';
const UPDATE_CODE = `PUT ${FUNCTION}/code`;
const INVOKE = `POST ${FUNCTION}/invocations`;
const QUOTA = 'GET /2016-08-19/account-settings';

let aws: AwsServer;
beforeEach(async () => {
  aws = await startAwsServer();
  Object.assign(process.env, credentials());
  aws.answers.set('GetCallerIdentity', xml('GetCallerIdentity', '<Account>123456789012</Account>'));
  aws.answers.set('GetSecretValue', secret(SECRET));
  aws.answers.set('DescribeStacks', stack('UPDATE_COMPLETE'));
  aws.answers.set(QUOTA, quota(1000));
  const updated = { LastUpdateStatus: 'Successful', State: 'Active' };
  aws.answers.set(UPDATE_CODE, { body: JSON.stringify(updated) });
  aws.answers.set(`GET ${FUNCTION}`, { body: JSON.stringify({ Configuration: updated }) });
});
afterEach(() => aws.stop());

/** For the clients of this process and of the script's. */
const credentials = () => ({
  AWS_ENDPOINT_URL: aws.url,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'example',
});
const secret = (values: Record<string, string>) => ({
  body: JSON.stringify({
    SecretString: JSON.stringify(values),
    VersionId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111',
  }),
});
const stack = (status: string) =>
  xml(
    'DescribeStacks',
    `<Stacks><member><StackName>rollcall-prod</StackName><CreationTime>2026-11-20T10:00:00Z</CreationTime><StackStatus>${status}</StackStatus></member></Stacks>`,
  );
const quota = (ConcurrentExecutions: number) => ({
  body: JSON.stringify({ AccountLimit: { ConcurrentExecutions } }),
});

async function deploy(args: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/deploy.ts', ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: tmpdir(),
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      PUBLIC_URL: 'https://auth.example.com',
      ...credentials(),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes));
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout, stderr };
}

test.each([
  ['no stage', [], 'The stage is missing'],
  ['an unknown option', ['--stag', 'prod'], "Unknown option '--stag'"],
  [
    'bad parameters',
    ['--stage', 'prod', '--param', 'logRetentionDays=8', '--param', 'subnetIds=subnet-1a'],
    'securityGroupIds is missing: subnetIds needs it',
  ],
])(
  'refuses %s with one message, before it asks AWS for anything',
  async (_name, args, message) => {
    const { exitCode, stderr } = await deploy(args);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(aws.calls).toEqual([]);
  },
  60_000,
);

test('refuses to go on without credentials', async () => {
  const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
  const { exitCode, stderr } = await deploy(['--stage', 'prod'], none);
  const message = 'There are no AWS credentials. Set AWS_PROFILE, or log in: aws sso login\n';
  expect([exitCode, stderr]).toEqual([1, message]);
  expect(aws.calls).toEqual([]);
});

const SERVICE: ResolvedService = {
  name: 'rollcall-prod',
  region: 'eu-central-1',
  parameters: readParameters({
    secret: 'rollcall/prod',
    tracing: 'off',
    logRetentionDays: 30,
    accessLogs: false,
    throttleRate: 1,
    throttleBurst: 1,
    reservedConcurrency: true,
  }),
  variables: { PUBLIC_URL: 'https://auth.example.com' },
  reserved: 5,
};
const withVariables = (variables: Record<string, string>): ResolvedService => ({
  ...SERVICE,
  variables: { ...SERVICE.variables, ...variables },
});
const answer = (call: string, value: ReturnType<typeof xml>) => () => void aws.answers.set(call, value);

/** What AWS says, or the secret holds. All of these checks come before the first change. */
const FINDINGS: [string, () => void, () => Promise<unknown>, string][] = [
  [
    'wrong credentials',
    answer('GetCallerIdentity', xmlError(403, 'InvalidClientTokenId', 'Not valid')),
    () => whoAmI('eu-central-1'),
    'AWS refuses these credentials: Not valid',
  ],
  [
    'no secret',
    answer('GetSecretValue', jsonError(400, 'ResourceNotFoundException', 'No')),
    () => checkSecret(SERVICE),
    'There is no secret rollcall/prod in eu-central-1. Create it, with a JSON object that has DATABASE_URL',
  ],
  [
    'a secret that is no JSON',
    answer('GetSecretValue', { body: JSON.stringify({ SecretString: 'hunter2' }) }),
    () => checkSecret(SERVICE),
    'The secret rollcall/prod is not a JSON object of strings',
  ],
  [
    'a secret that lacks something',
    answer('GetSecretValue', secret({ ...SECRET, RABBITMQ_URL: '' })),
    () => checkSecret(SERVICE),
    'RABBITMQ_URL (or RABBITMQ_HOST) is missing',
  ],
  [
    'a secret with something wrong in it',
    answer('GetSecretValue', secret({ ...SECRET, DATABASE_URL: 'mysql://hunter2' })),
    () => checkSecret(SERVICE),
    'DATABASE_URL must be a URL that starts with postgres://',
  ],
  [
    'a bad variable',
    () => {},
    () => checkSecret(withVariables({ BCRYPT_COST: 'ten' })),
    'BCRYPT_COST must be a whole number',
  ],
  [
    'links that lead nowhere',
    () => {},
    () => checkSecret(withVariables({ PUBLIC_URL: '' })),
    'PUBLIC_URL is missing',
  ],
  [
    'another deployment under way',
    answer('DescribeStacks', stack('UPDATE_IN_PROGRESS')),
    () => findStack(SERVICE),
    'A deployment of rollcall-prod is under way',
  ],
  [
    'a stack that is stuck',
    answer('DescribeStacks', stack('UPDATE_ROLLBACK_FAILED')),
    () => findStack(SERVICE),
    'The stack rollcall-prod is in UPDATE_ROLLBACK_FAILED: see docs/operations.md',
  ],
  [
    "a new account's small quota",
    answer(QUOTA, quota(10)),
    () => assertRoomToReserve(SERVICE),
    "reserves 5 of the account's 10 concurrent executions",
  ],
];

test.each(FINDINGS)('finds %s', async (_name, prepare, check, message) => {
  prepare();
  const error = await check().then(
    () => new Error('Nothing was found'),
    (thrown: Error) => thrown,
  );
  expect(error.message).toContain(message);
  expect(error.message).not.toContain('hunter2');
});

test('finds nothing where nothing is wrong, and tells a first deployment from a later one', async () => {
  expect(await checkSecret(SERVICE)).toBe('a1b2c3d4-5678-90ab-cdef-EXAMPLE11111');
  expect(await findStack(SERVICE)).toBe('there');
  await assertRoomToReserve(SERVICE);
  const missing = xmlError(400, 'ValidationError', 'Stack with id rollcall-prod does not exist');
  aws.answers.set('DescribeStacks', missing);
  expect(await findStack(SERVICE)).toBe('none');
});

test('accepts Argon2id for Lambda, whatever Node.js deploys', async () => {
  expect(await checkSecret(withVariables({ PASSWORD_HASH: 'argon2id' }))).toEqual(expect.any(String));
});

test('--check looks at all of it and does nothing', async () => {
  const { exitCode, stdout, stderr } = await deploy(['--stage', 'prod', '--check']);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toBe('All checks passed for rollcall-prod in account 123456789012, eu-central-1.\n');
  expect(aws.calls).toEqual(['GetCallerIdentity', 'GetSecretValue', 'DescribeStacks', QUOTA]);
});

test.each([
  [
    'fails',
    {
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: JSON.stringify({ errorMessage: 'The migration failed (0042-x); nothing was changed' }),
    },
    '(0042-x)',
  ],
  [
    'runs already',
    jsonError(429, 'TooManyRequestsException', 'Rate exceeded'),
    'A migration is already running: nothing was changed',
  ],
])('a migration that %s ends the deployment', async (_name, invoked, message) => {
  aws.answers.set(INVOKE, invoked);
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-migrate-'));
  await writeFile(join(directory, 'migrate.zip'), '');
  await expect(migrate(SERVICE, directory)).rejects.toThrow(message);
  expect(aws.calls).toEqual([UPDATE_CODE, `GET ${FUNCTION}`, INVOKE]);
  await rm(directory, { recursive: true });
});

test('the stack is touched after the migration only', async () => {
  aws.answers.set(INVOKE, { body: JSON.stringify({ applied: ['0042-x'] }) });
  const { exitCode, stdout } = await deploy(['--stage', 'prod']);
  expect(stdout).toContain('Migrated: 0042-x');
  const migrated = aws.calls.indexOf(INVOKE);
  expect(aws.calls.slice(0, migrated)).toEqual([
    ...['GetCallerIdentity', 'GetSecretValue', 'DescribeStacks', QUOTA],
    ...[UPDATE_CODE, `GET ${FUNCTION}`],
  ]);
  // The framework goes on from here, and is refused: this server has no answers for the deployment itself.
  expect(aws.calls.length).toBeGreaterThan(migrated + 1);
  expect(exitCode).toBe(1);
});
