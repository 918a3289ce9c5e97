// What `npm run deploy` would send to AWS, checked without AWS: the templates of every stage, and every archive.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { SECRET_VARIABLES } from '../../scripts/deploy/environment';
import { functionFiles } from '../../scripts/function-files';
import { CONSUMER_NAMES, queueOf } from '../../shared/broker/topology';
import { readConfig } from '../../shared/config';
import { VARIABLES } from '../../shared/config/environment';
import { preflightHeaders } from '../../shared/http/cors';
import document from '../../shared/openapi/openapi.json';
import { METRICS_NAMESPACE } from '../../shared/tasks/metrics';
import { type AwsServer, startAwsServer } from '../setup/aws-server';
import { brokerUrl } from '../setup/broker';
import { type TestContext, testContext } from '../setup/context';
import { httpEvent } from '../setup/http-event';
import { copyOfService, packageStage, type Template } from '../setup/package';
import { rmqEvent } from '../setup/rmq';
import { checkAgainstSchemas } from './resource-schemas';
import { checkRights } from './rights';
import { checkRoutes, checkRules } from './rules';

const KB = 1024;
const SENTINEL = 'hunter2hunter2hunter2hunter2hunter2';
const ARN = { region: 'eu-central-1', account: '123456789012' };
const AMAZON_MQ = {
  amazonMqArn: `arn:aws:mq:${ARN.region}:${ARN.account}:broker:rollcall:b-1234abcd-12ab-34cd-56ef-1234567890ab`,
  amazonMqSecretArn: `arn:aws:secretsmanager:${ARN.region}:${ARN.account}:secret:rollcall/amazon-mq-AbCdEf`,
};
const EVERYTHING = {
  ...AMAZON_MQ,
  secretVersion: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111',
  securityGroupIds: 'sg-0a1b2c3d',
  subnetIds: 'subnet-0a1b2c3d,subnet-1a2b3c4d',
  domainName: 'auth.example.com',
  certificateArn: `arn:aws:acm:${ARN.region}:${ARN.account}:certificate/12345678-1234-1234-1234-123456789012`,
  hostedZoneId: 'Z0123456789ABC',
  alarmEmail: 'ops@example.com',
};
/** What a deployer may well have in the shell or in .env. */
const DEVELOPER = {
  ...Object.fromEntries(SECRET_VARIABLES.map((name) => [name, `x://${SENTINEL}@localhost`])),
  LAMBDA_ENDPOINT: `http://${SENTINEL}`,
  // Not as browsers write it, and as the gateway has to have it all the same.
  CORS_ORIGINS: 'https://App.Example.com:443/',
};

let service: string;
let output: string;
const templates = new Map<string, Template>();

beforeAll(async () => {
  service = await copyOfService();
  const dev = await packageStage(service, 'dev', {}, DEVELOPER);
  output = dev.output;
  templates.set('dev', dev.template);
  templates.set('prod', (await packageStage(service, 'prod')).template);
  templates.set(
    'prod with everything',
    (await packageStage(service, 'prod', EVERYTHING, DEVELOPER)).template,
  );
});
afterAll(() => rm(service, { recursive: true, force: true }));

function templateOf(name: string): Template {
  const template = templates.get(name);
  if (!template) throw new Error(`Not packaged: ${name}`);
  return template;
}
const resource = (name: string, id: string) => templateOf(name).Resources[id]?.Properties;

/** The code of each function, by its name. */
async function readBundles(): Promise<Map<string, string>> {
  const names = [...functionFiles().keys()];
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(join('dist', name, 'index.cjs'), 'utf8')] as const),
    ),
  );
}

/** The functions whose bundle takes in what makes and compares hashes. */
async function hashingFunctions(): Promise<string[]> {
  return [...(await readBundles())].flatMap(([name, code]) => (code.includes('Illegal salt') ? [name] : []));
}

describe.each(['dev', 'prod', 'prod with everything'])('the template of %s', (name) => {
  test("fits AWS's schemas", () => expect(checkAgainstSchemas(templateOf(name))).toEqual([]));

  test('keeps the rules', async () => {
    const hashing = await hashingFunctions();
    expect(hashing).toEqual(expect.arrayContaining(['register', 'login', 'change-password']));
    expect(checkRules(templateOf(name), hashing)).toEqual([]);
  });

  test('gives no role a right that one of its functions does not use', async () => {
    expect(checkRights(templateOf(name), await readBundles())).toEqual([]);
  });

  test('serves the documented routes, and all else with 404', async () => {
    expect(await checkRoutes(templateOf(name), document.paths)).toEqual([]);
    const routes = Object.values(templateOf(name).Resources).map(
      ({ Properties }) => Properties?.['RouteKey'],
    );
    expect(routes).toContain('$default');
  });

  test('has every function of functions/', () => {
    const handlers = Object.values(templateOf(name).Resources).flatMap(({ Type, Properties }) =>
      Type === 'AWS::Lambda::Function' ? [String(Properties['Handler']).split('/')[1]] : [],
    );
    expect(handlers.sort()).toEqual([...functionFiles().keys()].sort());
  });
});

/** Each takes away one thing that the checks are there for. */
const MUTATIONS: [string, (template: Template) => void, RegExp][] = [
  ['a property that does not exist', (t) => set(t, 'LoginLambdaFunction', 'Memory', 1), /no property Memory/],
  ['a wrong type', (t) => set(t, 'LoginLambdaFunction', 'Timeout', 'ten'), /not a whole number/],
  ['a dangling reference', (t) => delete t.Resources['AlarmTopic'], /refers to AlarmTopic/],
  ['a missing role', (t) => delete t.Resources['FunctionRole'], /FunctionRole, which is not there/],
  [
    'a missing alarm',
    (t) => delete t.Resources['AuthFunctions1Alarm'],
    /LoginLambdaFunction: nobody is told/,
  ],
  [
    'an alarm that does not name its functions',
    (t) => set(t, 'AuthFunctions1Alarm', 'AlarmDescription', 'Something failed'),
    /LoginLambdaFunction: nobody is told of its Errors/,
  ],
  [
    'logs for ever',
    (t) => set(t, 'FunctionLogGroup', 'RetentionInDays', undefined),
    /FunctionLogGroup: kept for/,
  ],
  ['logs elsewhere', (t) => set(t, 'LoginLambdaFunction', 'LoggingConfig', {}), /Function: no log group/],
  ['too little memory', (t) => set(t, 'LoginLambdaFunction', 'MemorySize', 512), /hashes passwords with 512/],
  ['no throttling', (t) => set(t, 'HttpApiStage', 'DefaultRouteSettings', {}), /HttpApiStage: not throttled/],
  [
    'a right that a function does not use',
    (t) => set(t, 'LoginLambdaFunction', 'Role', { 'Fn::GetAtt': ['InvokeConsumersRole', 'Arn'] }),
    /LoginLambdaFunction never uses lambda:InvokeFunction on .*EmailsLambdaFunction/,
  ],
  [
    'a right that is missing',
    (t) => set(t, 'PollDashqueuesLambdaFunction', 'Role', { 'Fn::GetAtt': ['FunctionRole', 'Arn'] }),
    /PollDashqueuesLambdaFunction may not lambda:InvokeFunction on .*EmailsLambdaFunction/,
  ],
  [
    'a function that the API may invoke and never does',
    (t) => delete t.Resources['HttpApiIntegrationLogin'],
    /The API never uses lambda:InvokeFunction on .*LoginLambdaFunction/,
  ],
  [
    'a function that the API may not invoke',
    (t) => set(t, 'HttpApiIntegrationLogin', 'CredentialsArn', undefined),
    /The API may not lambda:InvokeFunction on .*LoginLambdaFunction/,
  ],
  [
    'any resource',
    (t) => set(t, 'FunctionRole', 'Policies', [allow('logs:PutLogEvents', '*')]),
    /any resource for logs:PutLogEvents/,
  ],
  ['any action', (t) => set(t, 'FunctionRole', 'Policies', [allow('logs:*', 'arn:x')]), /any action: logs/],
  [
    'a role with more policy than IAM takes',
    (t) => set(t, 'ApiRole', 'Policies', [allow('lambda:InvokeFunction', 'x'.repeat(10_240))]),
    /ApiRole: \d+ bytes of policies/,
  ],
  ['too many resources', (t) => addTopics(t, 100), /resources: 470 at most, because a stack holds 500/],
  ['too many resources for its functions', (t) => addTopics(t, 50), /resources per function: 3.75 at most/],
];

function addTopics(template: Template, count: number): void {
  for (let index = 0; index < count; index++)
    template.Resources[`Extra${index}`] = { Type: 'AWS::SNS::Topic', Properties: {} };
}

const allow = (Action: string, Resource: string) => ({
  PolicyName: 'function',
  PolicyDocument: { Statement: [{ Effect: 'Allow', Action, Resource }] },
});

function set(template: Template, id: string, property: string, value: unknown): void {
  const found = template.Resources[id];
  if (!found) throw new Error(`There is no ${id}`);
  found.Properties[property] = value;
}

test.each(MUTATIONS)('the checks find %s', async (_name, mutate, problem) => {
  const template = structuredClone(templateOf('prod'));
  mutate(template);
  const problems = [
    ...checkAgainstSchemas(template),
    ...checkRules(template, await hashingFunctions()),
    ...checkRights(template, await readBundles()),
  ];
  expect(problems.join('\n')).toMatch(problem);
});

test('the checks find a route that is gone', async () => {
  const template = structuredClone(templateOf('prod'));
  const id = Object.keys(template.Resources).find((key) => key.startsWith('HttpApiRoutePostLogin')) ?? '';
  delete template.Resources[id];
  expect(await checkRoutes(template, document.paths)).toContain('POST /login is not served');
});

test.each([
  ['GET /roles', 'ANY /roles', 'GET /roles answers no HEAD: write it as ANY'],
  ['ANY /users/me', 'GET /users/me', 'ANY /users/me may take PUT /users/{id}'],
])('the checks find %s in the place of %s', async (key, replaced, problem) => {
  const template = structuredClone(templateOf('prod'));
  const route = Object.values(template.Resources).find(
    ({ Properties }) => Properties?.['RouteKey'] === replaced,
  );
  Object.assign(route?.Properties ?? {}, { RouteKey: key });
  expect(await checkRoutes(template, document.paths)).toContain(problem);
});

test('no secret of the deployer gets into what is deployed', async () => {
  for (const [name, template] of templates) expect([name, JSON.stringify(template)]).not.toContain(SENTINEL);
  const state = await readFile(join(output, 'serverless-state.json'), 'utf8');
  expect(state).not.toContain(SENTINEL);
  expect(resource('dev', 'LoginLambdaFunction')?.['Environment'].Variables).toEqual({
    FUNCTION_PREFIX: 'rollcall-dev-',
    CORS_ORIGINS: 'https://App.Example.com:443/',
    METRICS: 'on',
    SECRET_ID: 'rollcall/dev',
  });
});

test('every variable that could hold a secret is known to, or known not to', () => {
  const harmless = [
    'LOGO_URL',
    'PUBLIC_URL',
    'ACCESS_TOKEN_SECONDS',
    'REFRESH_TOKEN_SECONDS',
    'PASSWORD_CONTEXT_WORDS',
    'RESET_PASSWORD_SECONDS',
    // Where to look them up.
    'BREACHED_PASSWORDS',
    // An algorithm.
    'PASSWORD_HASH',
    'PASSKEY_RP_ID',
    'PASSKEY_ORIGINS',
    'RATE_LIMIT_PASSKEY_ADDRESS',
  ];
  const suspicious = VARIABLES.filter((name) => /SECRET|PASS|KEY|TOKEN|_URL$/.test(name));
  expect(suspicious.filter((name) => !harmless.includes(name)).sort()).toEqual([...SECRET_VARIABLES].sort());
});

test('Amazon MQ takes the place of the poller', () => {
  const mapped = Object.values(templateOf('prod with everything').Resources).filter(
    ({ Type }) => Type === 'AWS::Lambda::EventSourceMapping',
  );
  const queues = mapped.map(({ Properties }) => Properties['Queues'][0]).sort();
  const { events } = readConfig({
    DATABASE_URL: 'postgres://localhost/rollcall',
    RABBITMQ_URL: 'amqp://localhost',
    JWT_SECRET: SENTINEL,
  });
  for (const name of CONSUMER_NAMES) expect(queues).toContain(queueOf(events, name));
  const rule = (name: string) =>
    Object.entries(templateOf(name).Resources).find(
      ([id, { Type }]) => Type === 'AWS::Events::Rule' && id.startsWith('PollDashqueues'),
    )?.[1].Properties['State'];
  expect([rule('prod'), rule('prod with everything')]).toEqual(['ENABLED', 'DISABLED']);
  expect(templateOf('prod with everything').Resources['PollerAlarm']).toBeUndefined();
  expect(templateOf('prod').Resources['PollerAlarm']).toBeDefined();
});

test('the API logs each request where the stage says so, and of what a client wrote nothing', () => {
  expect(resource('dev', 'AccessLogGroup')).toBeUndefined();
  expect(resource('dev', 'HttpApiStage')?.['AccessLogSettings']).toBeUndefined();
  const group = resource('prod', 'AccessLogGroup');
  expect(group).toMatchObject({ LogGroupName: '/aws/vendedlogs/rollcall-prod-access', RetentionInDays: 30 });
  const { DestinationArn, Format } = resource('prod', 'HttpApiStage')?.['AccessLogSettings'] ?? {};
  expect(DestinationArn).toEqual({ 'Fn::GetAtt': ['AccessLogGroup', 'Arn'] });
  const fields: string[] = Object.values(JSON.parse(Format));
  expect(fields).toEqual(expect.arrayContaining(['$context.identity.sourceIp', '$context.status']));
  // A quotation mark in one of these would forge fields.
  for (const forged of ['$context.path', '$context.identity.userAgent']) expect(fields).not.toContain(forged);
  const key = JSON.stringify(resource('prod', 'EncryptionKey'));
  expect(key).toContain('log-group:/aws/vendedlogs/rollcall-prod-*');
});

test('every metric of an alarm is one that is written', async () => {
  const source = await readFile('shared/ops/measured-runs.ts', 'utf8');
  const watched = Object.values(templateOf('prod').Resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::CloudWatch::Alarm' && Properties['Namespace'] === METRICS_NAMESPACE
      ? [String(Properties['MetricName'])]
      : [],
  );
  expect(watched).toContain('OutboxAgeSeconds');
  expect(watched.filter((name) => !source.includes(`${name}: `))).toEqual([]);
});

test('an HTTP function is three resources: function, integration, route', () => {
  const { Resources } = templateOf('prod');
  const own = Object.entries(Resources).filter(
    ([id, { Properties }]) =>
      id.startsWith('ListDashroles') ||
      id.endsWith('ListDashroles') ||
      JSON.stringify(Properties['Target'])?.includes('"HttpApiIntegrationListDashroles"'),
  );
  expect(own.map(([, { Type }]) => Type).sort()).toEqual([
    'AWS::ApiGatewayV2::Integration',
    'AWS::ApiGatewayV2::Route',
    'AWS::Lambda::Function',
  ]);
});

test("a function that fails is named by its alarm's value", () => {
  const alarms = Object.values(templateOf('prod').Resources).filter(
    ({ Type, Properties }) =>
      Type === 'AWS::CloudWatch::Alarm' && /-functions-/.test(Properties['AlarmName']),
  );
  const named = alarms.flatMap(({ Properties }) => {
    const metrics: { Id: string; Expression?: string; MetricStat?: unknown }[] = Properties['Metrics'];
    const expression = String(metrics.find(({ Expression }) => Expression)?.Expression);
    const ids = metrics.flatMap(({ Id, MetricStat }) => (MetricStat ? [Id] : []));
    const description = String(Properties['AlarmDescription']);
    return [...description.matchAll(/(10*) ([a-z-]+)/g)].map(([, value, name = '']) => {
      const own = name.replaceAll('-', '_');
      const valueWith = (failing: string[]) => evaluate(expression, ids, failing);
      expect(valueWith([])).toBe(0);
      expect(valueWith([`errors_${own}`])).toBe(Number(value));
      expect(valueWith([`throttles_${own}`])).toBe(Number(value));
      expect(valueWith(ids)).toBeGreaterThanOrEqual(Number(value));
      return name;
    });
  });
  expect(named.sort()).toEqual([...functionFiles().keys()].sort());
});

/** A metric math expression, of metrics that are 3 or, as CloudWatch has it where nothing happened, missing. */
function evaluate(expression: string, ids: string[], failing: string[]): number {
  const fill = (value: number | undefined, missing: number) => value ?? missing;
  const choose = (condition: boolean, yes: number, no: number) => (condition ? yes : no);
  const values = ids.map((id) => (failing.includes(id) ? 3 : undefined));
  return Number(new Function('FILL', 'IF', ...ids, `return ${expression}`)(fill, choose, ...values));
}

test('a stage has one log group of its functions, encrypted, and the key is for it', () => {
  const groups = Object.entries(templateOf('prod').Resources).filter(
    ([, { Type }]) => Type === 'AWS::Logs::LogGroup',
  );
  expect(groups.map(([id]) => id).sort()).toEqual(['AccessLogGroup', 'FunctionLogGroup']);
  const group = resource('prod', 'FunctionLogGroup');
  expect(group).toMatchObject({ LogGroupName: '/aws/lambda/rollcall-prod-functions', RetentionInDays: 30 });
  expect(JSON.stringify(resource('prod', 'EncryptionKey'))).toContain(
    'log-group:/aws/lambda/rollcall-prod-*',
  );
});

test('the gateway answers preflights as the functions would', () => {
  const cors = resource('dev', 'HttpApi')?.['CorsConfiguration'];
  expect(cors.AllowOrigins).toEqual(['https://app.example.com']);
  expect(cors.AllowMethods.join(', ')).toBe(preflightHeaders()['access-control-allow-methods']);
  expect(cors.AllowHeaders.join(', ')).toBe(preflightHeaders()['access-control-allow-headers']);
  expect(resource('prod', 'HttpApi')?.['CorsConfiguration']).toBeUndefined();
});

test('the API calls the alias of the functions that have one', () => {
  const { Resources } = templateOf('prod');
  const uri = JSON.stringify(Resources['HttpApiIntegrationLogin']?.Properties['IntegrationUri']);
  expect(uri).toContain('"live"');
  expect(Resources['HttpApiIntegrationLogin']?.DependsOn).toContain('LoginAlias');
  expect(Resources['LoginAlias']?.Properties).toMatchObject({
    Name: 'live',
    FunctionName: 'rollcall-prod-login',
  });
  expect(JSON.stringify(Resources['HttpApiIntegrationListDashroles'])).not.toContain('live');
});

test('a stage gets its VPC, its domain, its address for alarms, and the reserved concurrency of prod only', () => {
  const login = resource('prod with everything', 'LoginLambdaFunction');
  expect(login?.['VpcConfig'].SubnetIds).toEqual(['subnet-0a1b2c3d', 'subnet-1a2b3c4d']);
  expect(resource('prod with everything', 'ApiDomain')?.['DomainName']).toBe('auth.example.com');
  // A second address would be one without what stands in front of the first.
  expect(resource('prod with everything', 'HttpApi')?.['DisableExecuteApiEndpoint']).toBe(true);
  expect(resource('prod', 'HttpApi')).not.toHaveProperty('DisableExecuteApiEndpoint');
  expect(resource('prod with everything', 'AlarmTopic')?.['Subscription'][0].Endpoint).toBe(
    'ops@example.com',
  );
  expect(resource('prod', 'PollDashqueuesLambdaFunction')?.['ReservedConcurrentExecutions']).toBe(2);
  expect(resource('dev', 'PollDashqueuesLambdaFunction')).not.toHaveProperty('ReservedConcurrentExecutions');
});

describe('the archives', () => {
  let directory: string;
  let ctx: TestContext;
  let aws: AwsServer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rollcall-artifacts-'));
    [ctx, aws] = await Promise.all([testContext(), startAwsServer()]);
    const secret = {
      DATABASE_URL: ctx.config.database.url,
      RABBITMQ_URL: brokerUrl(),
      JWT_SECRET: 'a secret of the tests, long enough',
      SMTP_URL: 'off',
    };
    aws.answers.set('GetSecretValue', { body: JSON.stringify({ SecretString: JSON.stringify(secret) }) });
    await mkdir(join(directory, '.runtime'));
    await symlink(resolve('node_modules/@aws-sdk'), join(directory, '.runtime/@aws-sdk'));
  });
  afterAll(async () => {
    await aws.stop();
    await ctx.close();
    await rm(directory, { recursive: true, force: true });
  });

  const archives = async () => (await readdir(output)).filter((file) => file.endsWith('.zip')).sort();

  test('are one per function, none over 400 KB and all of them under 9 MB', async () => {
    const files = await archives();
    expect(files).toEqual([...functionFiles().keys()].map((name) => `${name}.zip`).sort());
    const sizes = await Promise.all(
      files.map(async (file) => [file, (await readFile(join(output, file))).length] as const),
    );
    expect(sizes.filter(([, size]) => size > 400 * KB)).toEqual([]);
    expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(9 * KB * KB);
  });

  /** A container: nothing but what is in the archive and, as Lambda has it, the AWS SDK. */
  const CONTAINER = `
    const [handler, event] = [process.argv[1], JSON.parse(process.argv[2])];
    const [file, name] = handler.split(/\\.(?=[^.]*$)/);
    require(require('node:path').resolve(file + '.cjs'))[name](event).then(
      (answer) => { console.error(JSON.stringify({ ...answer, body: undefined })); process.exit(0); },
      (error) => { console.error(error); process.exit(1); });`;

  test.each([...functionFiles()])('%s runs from its archive alone', async (name, file) => {
    const own = join(directory, name);
    const parts = unzipSync(await readFile(join(output, `${name}.zip`)));
    for (const [path, bytes] of Object.entries(parts)) {
      await mkdir(dirname(join(own, path)), { recursive: true });
      await writeFile(join(own, path), bytes);
    }
    const handlers = Object.values(templateOf('dev').Resources).map(
      ({ Properties }) => Properties?.['Handler'],
    );
    const handler = handlers.find((one) => String(one).startsWith(`dist/${name}/`));
    const isConsumer = /[\\/]consumers[\\/]/.test(file);
    const event = isConsumer ? { ...rmqEvent([]), rmqMessagesByQueue: {} } : httpEvent({ path: '/' });
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['-e', CONTAINER, String(handler), JSON.stringify(event)],
      {
        cwd: own,
        env: {
          PATH: process.env['PATH'],
          NODE_PATH: join(directory, '.runtime'),
          ...Object.fromEntries(VARIABLES.map((variable) => [variable, ''])),
          // Its secrets it gets as in the cloud.
          SECRET_ID: 'rollcall/dev',
          AWS_ENDPOINT_URL: aws.url,
          AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'example',
          BCRYPT_COST: '4',
          QUEUE_TYPE: 'classic',
          QUEUE_PREFIX: ctx.config.events.queuePrefix,
          EVENT_EXCHANGE: ctx.config.events.exchange,
          RELAY_BUDGET_MS: '1',
          POLL_BUDGET_MS: '200',
          WEBHOOK_BUDGET_MS: '1',
          AWS_REGION: 'eu-central-1',
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
      },
    );
    const answer = JSON.parse(stderr);
    if (isConsumer) expect(answer).toEqual({ batchItemFailures: [] });
    // Whatever it says to an empty request: not that something of it is missing.
    else if (answer.statusCode !== undefined) expect(answer.statusCode).toBeLessThan(500);
  });
});
