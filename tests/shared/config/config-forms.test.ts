// What people write into variables, and what becomes of it: read as it is meant, or refused by name. Nothing that can
// never work starts.
import { checkConfiguration, readSettings } from '../../../local/settings';
import { readServeSettings } from '../../../scripts/serve/settings';
import { readConfig } from '../../../shared/config';
import { corsHeaders } from '../../../shared/http/cors';

const COMPLETE = {
  DATABASE_URL: 'postgres://localhost/rollcall',
  RABBITMQ_URL: 'amqp://localhost',
  JWT_SECRET: 'x'.repeat(32),
};
const { RABBITMQ_URL: _url, ...WITHOUT_BROKER } = COMPLETE;
const read = (environment: Record<string, string>) => readConfig({ ...COMPLETE, ...environment });
const brokerOf = (parts: Record<string, string>) => readConfig({ ...WITHOUT_BROKER, ...parts }).broker.url;

describe('CORS_ORIGINS', () => {
  test.each([
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://App.Example.com', 'https://app.example.com'],
    ['HTTPS://app.example.com', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://localhost:80', 'http://localhost'],
    ['http://localhost:5173', 'http://localhost:5173'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['https://münchen.example', 'https://xn--mnchen-3ya.example'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
    ['https://a.example, https://b.example/', 'https://b.example'],
  ])('%s is the origin %s', (written, origin) => {
    const { corsOrigins } = read({ CORS_ORIGINS: written });
    expect(corsHeaders(corsOrigins, origin)['access-control-allow-origin']).toBe(origin);
  });

  test.each([
    'app.example.com',
    'https://app.example.com/login',
    'https://app.example.com?x=1',
    'https://app.example.com/#',
    'https://me@app.example.com',
    'https://*.example.com',
    'https://',
    '*.example.com',
    '"https://app.example.com"',
    "'https://app.example.com'",
    '["https://app.example.com"]',
    'https://a.example https://b.example',
    'https://a.example;https://b.example',
    'https://app.example.com:99999',
    '//app.example.com',
    'null',
    'file:///index.html',
  ])('%s can never match, and is refused', (written) => {
    expect(() => read({ CORS_ORIGINS: written })).toThrow(/^ {2}CORS_ORIGINS must /m);
  });
});

describe('RETURN_URLS', () => {
  test.each([
    'https://app.example.com/signed-in',
    'https://app.example.com',
    'https://app.example.com:8443/?tenant=7',
    'http://localhost:5173/callback',
    'http://127.0.0.1:8080/',
    'http://[::1]:3000/',
    'com.example.app:/signed-in',
    'com.example.app://signed-in',
  ])('%s is kept as it is written', (url) => {
    expect(read({ RETURN_URLS: `${url} , https://b.example/x` }).pages.returnUrls).toEqual([
      url,
      'https://b.example/x',
    ]);
  });

  test.each([
    '/signed-in',
    'app.example.com/signed-in',
    '//app.example.com/signed-in',
    'http://app.example.com/signed-in',
    'http://localhost.example.com/',
    'http://192.168.0.1/',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'blob:https://app.example.com/x',
    'file:///etc/passwd',
    'about:blank',
    'myapp:/signed-in',
    'com.example.app:',
    'https://me@app.example.com/',
    'https://me:secret@app.example.com/',
    'https://*.example.com/',
    'https://app.example.com/*',
    'https://app.example.com/#x',
    'https://app.example.com/#',
    'https://App.example.com/',
    'https://app.example.com:443/',
    'https://app.example.com/a/../b',
    'https://app.example.com\\@evil.example/',
    'https://app.example.com/?code=x',
    'https://app.example.com/?a=b&state=x',
    '*',
    'https://a.example;https://b.example',
    '"https://app.example.com/"',
  ])('%s is refused', (written) => {
    expect(() => read({ RETURN_URLS: written })).toThrow(/^ {2}RETURN_URLS must /m);
  });
});

describe('passkeys', () => {
  const KEY_HASH = `android:apk-key-hash:${'Ab-_'.repeat(10)}123`;
  const passkeys = (environment: Record<string, string>) => read(environment).passkeys;

  test.each([
    [{}, { id: 'localhost', origins: ['http://localhost:3000'] }],
    [
      { PUBLIC_URL: 'https://auth.example.com/x/' },
      { id: 'auth.example.com', origins: ['https://auth.example.com'] },
    ],
    [
      { PASSKEY_ORIGINS: 'https://App.example.com:443/, https://b.app.example.com' },
      { id: 'app.example.com', origins: ['https://app.example.com', 'https://b.app.example.com'] },
    ],
    [
      {
        PASSKEY_ORIGINS: `${KEY_HASH},https://a.example.com,https://b.example.com`,
        PASSKEY_RP_ID: 'Example.com',
      },
      { id: 'example.com', origins: [KEY_HASH, 'https://a.example.com', 'https://b.example.com'] },
    ],
    [
      { PASSKEY_ORIGINS: 'http://localhost:5173,http://app.localhost', PASSKEY_RP_ID: 'localhost' },
      { id: 'localhost', origins: ['http://localhost:5173', 'http://app.localhost'] },
    ],
    [
      { PASSKEY_ORIGINS: KEY_HASH, PASSKEY_RP_ID: 'example.com' },
      { id: 'example.com', origins: [KEY_HASH] },
    ],
    [
      { PASSKEY_ORIGINS: 'https://münchen.example', PASSKEY_RP_ID: 'münchen.example' },
      { id: 'xn--mnchen-3ya.example', origins: ['https://xn--mnchen-3ya.example'] },
    ],
    [{ PUBLIC_URL: 'http://127.0.0.1:8080' }, { id: '127.0.0.1', origins: ['http://127.0.0.1:8080'] }],
  ])('%j is %j', (environment: Record<string, string>, relyingParty) => {
    expect(passkeys(environment)).toEqual(relyingParty);
  });

  test.each([
    ['PASSKEY_ORIGINS', '*'],
    ['PASSKEY_ORIGINS', 'https://a.example,*'],
    ['PASSKEY_ORIGINS', 'https://*.example.com'],
    ['PASSKEY_ORIGINS', 'https://app.example.com/login'],
    ['PASSKEY_ORIGINS', 'app.example.com'],
    ['PASSKEY_ORIGINS', 'http://app.example.com'],
    ['PASSKEY_ORIGINS', 'http://localhost.example.com'],
    ['PASSKEY_ORIGINS', 'https://10.0.0.1'],
    ['PASSKEY_ORIGINS', 'http://127.0.0.1:3000'],
    ['PASSKEY_ORIGINS', 'https://[::1]:3000'],
    ['PASSKEY_ORIGINS', 'android:apk-key-hash:short'],
    ['PASSKEY_ORIGINS', `android:apk-key-hash:${'A'.repeat(44)}`],
    ['PASSKEY_RP_ID', 'https://example.com'],
    ['PASSKEY_RP_ID', 'example.com:443'],
    ['PASSKEY_RP_ID', 'example.com/'],
    ['PASSKEY_RP_ID', 'me@example.com'],
    ['PASSKEY_RP_ID', '127.0.0.1'],
    ['PASSKEY_RP_ID', '*.example.com'],
    ['PASSKEY_RP_ID', '  '],
  ])('%s=%s is refused', (name, value) => {
    expect(() => passkeys({ [name]: value })).toThrow(new RegExp(`^ {2}${name} must `, 'm'));
  });

  test.each([
    [
      { PASSKEY_ORIGINS: 'https://a.example.com,https://b.example.com' },
      'b.example.com is not within a.example.com',
    ],
    [{ PASSKEY_RP_ID: 'example.com' }, 'localhost is not within example.com'],
    [
      { PUBLIC_URL: 'https://evilexample.com', PASSKEY_RP_ID: 'example.com' },
      'evilexample.com is not within',
    ],
    [
      { PUBLIC_URL: 'https://example.com', PASSKEY_RP_ID: 'app.example.com' },
      'example.com is not within app.',
    ],
    [{ PASSKEY_ORIGINS: KEY_HASH }, 'PASSKEY_RP_ID is missing'],
  ])('%j can never work, and the message says what to do', (environment: Record<string, string>, problem) => {
    expect(() => passkeys(environment)).toThrow(problem);
    expect(() => passkeys(environment)).toThrow(/^ {2}PASSKEY_RP_ID /m);
  });
});

describe('BRAND_COLOR and LOGO_URL', () => {
  test.each([
    ['#1D4FC4', '#1d4fc4'],
    [' #fa0 ', '#ffaa00'],
  ])('%s is the colour %s', (written, color) => {
    expect(read({ BRAND_COLOR: written }).pages.brandColor).toBe(color);
  });

  test.each(['red', '1d4fc4', '#1d4f', '#1d4fc4ff', '#1d4fcg', 'rgb(1,2,3)', '#fff;}body{display:none', '#'])(
    '%s is no colour',
    (written) => {
      expect(() => read({ BRAND_COLOR: written })).toThrow(/^ {2}BRAND_COLOR must /m);
    },
  );

  test.each([
    'logo.svg',
    'http://cdn.example.com/logo.svg',
    '//cdn.example.com/logo.svg',
    '/\\cdn.example.com/logo.svg',
    '/\t/cdn.example.com/logo.svg',
    'https://me@cdn.example.com/logo.svg',
    'https://',
    'javascript:alert(1)',
    'data:image/svg+xml,x',
  ])('%s is no logo', (written) => {
    expect(() => read({ LOGO_URL: written })).toThrow(/^ {2}LOGO_URL must /m);
  });
});

describe('mailboxes', () => {
  test.each([
    ['Acme, Inc. <no-reply@acme.example>', 'Acme, Inc.'],
    ['"Acme, Inc." <no-reply@acme.example>', 'Acme, Inc.'],
    ['Acme: Accounts <no-reply@acme.example>', 'Acme: Accounts'],
    ['Acme (EU) <no-reply@acme.example>', 'Acme (EU)'],
    ['Café; Bar <no-reply@acme.example>', 'Café; Bar'],
    ['"The \\"A\\" team" <no-reply@acme.example>', 'The "A" team'],
    ['  Rollcall   <no-reply@acme.example> ', 'Rollcall'],
    ['<no-reply@acme.example>', ''],
    ['no-reply@acme.example', ''],
  ])('MAIL_FROM %j has one name and one address', (written, name) => {
    expect(read({ MAIL_FROM: written }).mail.from).toEqual({ name, address: 'no-reply@acme.example' });
  });

  test.each([
    'somebody',
    'a@example.com, b@example.com',
    'A <a@example.com>, B <b@example.com>',
    'A <a@example.com> (comment)',
    'Rollcall <a@example.com',
    'Rollcall a@example.com',
    'Rollcall <a@b@example.com>',
    'Rollcall <a..b@example.com>',
    'Rollcall <.a@example.com>',
    'Rollcall <a@example..com>',
    'Rollcall <a@-example.com>',
    'Rollcall <a@example.com.>',
    'Rollcall <a b@example.com>',
    'Rollcall <a@exam ple.com>',
    'Rollcall <a@example.com;b@example.com>',
    `Rollcall <${'a'.repeat(65)}@example.com>`,
    'Rollcall <a@example.com>\r\nBcc: b@example.com',
    'Roll\ncall <a@example.com>',
    '"Rollcall <a@example.com>',
    '"Roll" call <a@example.com>',
    '=?UTF-8?Q?Caf=C3=A9?= <a@example.com>',
  ])('MAIL_FROM %j is none, and is refused', (written) => {
    expect(() => read({ MAIL_FROM: written })).toThrow(/^ {2}MAIL_FROM must /m);
  });

  test('ADMIN_NOTIFY_EMAIL takes a comma inside quotes for a part of the name', () => {
    const written = '"Doe, Jane" <jane@example.com>, ops@example.com,, Jo <jo@example.com>';
    expect(read({ ADMIN_NOTIFY_EMAIL: written }).mail.adminAddresses).toEqual([
      { name: 'Doe, Jane', address: 'jane@example.com' },
      { name: '', address: 'ops@example.com' },
      { name: 'Jo', address: 'jo@example.com' },
    ]);
  });

  test.each(['Doe, Jane <jane@example.com>', 'a@example.com; b@example.com', 'a@example.com "b@example.com'])(
    'ADMIN_NOTIFY_EMAIL %j is refused',
    (written) => {
      expect(() => read({ ADMIN_NOTIFY_EMAIL: written })).toThrow(
        /^ {2}ADMIN_NOTIFY_EMAIL must .*number \d/m,
      );
    },
  );
});

describe('the broker in parts', () => {
  test.each([
    [{ RABBITMQ_HOST: '::1' }, 'amqp://guest:guest@[::1]:5672/%2F'],
    [{ RABBITMQ_HOST: '[::1]' }, 'amqp://guest:guest@[::1]:5672/%2F'],
    [{ RABBITMQ_HOST: ' mq ' }, 'amqp://guest:guest@mq:5672/%2F'],
    [{ RABBITMQ_HOST: 'mq', RABBITMQ_PORT: '05673' }, 'amqp://guest:guest@mq:5673/%2F'],
    [{ RABBITMQ_HOST: 'mq', RABBITMQ_VHOST: 'a/b 100%' }, 'amqp://guest:guest@mq:5672/a%2Fb%20100%25'],
  ])('%j', (parts, url) => expect(brokerOf(parts)).toBe(url));

  test.each([
    ['RABBITMQ_HOST', 'mq:5672'],
    ['RABBITMQ_HOST', 'amqp://mq'],
    ['RABBITMQ_HOST', 'guest@mq'],
    ['RABBITMQ_HOST', 'mq/vhost'],
    ['RABBITMQ_HOST', 'mq1,mq2'],
    ['RABBITMQ_HOST', '[::1]:5672'],
    ['RABBITMQ_HOST', 'fe80::1%eth0'],
    ['RABBITMQ_PORT', '99999'],
    ['RABBITMQ_PORT', '0'],
    ['RABBITMQ_PORT', '5672/tcp'],
    ['RABBITMQ_VHOST', '%2F'],
    ['RABBITMQ_VHOST', 'x'.repeat(256)],
  ])('%s=%s is refused', (name, value) => {
    expect(() => brokerOf({ RABBITMQ_HOST: 'mq', [name]: value })).toThrow(
      new RegExp(`^  ${name} must `, 'm'),
    );
  });
});

describe('URLs', () => {
  test.each([
    ['a % that begins no escape', 'postgres://me:100%@db/rollcall', 'postgres://me:100%25@db/rollcall'],
    ['such a one in the name', 'postgres://me@db/50%off', 'postgres://me@db/50%25off'],
    ['such a one at the end', 'postgres://me@db/100%', 'postgres://me@db/100%25'],
    ['an escape', 'postgres://me:p%40ss@db/rollcall', 'postgres://me:p%40ss@db/rollcall'],
    ['space around it', ' postgres://me@db/rollcall\n', 'postgres://me@db/rollcall'],
    ['a socket', 'postgres://me@%2Frun%2Fpostgresql/rollcall', 'postgres://me@%2Frun%2Fpostgresql/rollcall'],
    ['another socket', 'postgres:///rollcall?host=/run', 'postgres:///rollcall?host=/run'],
    ["the user's own database", 'postgres://me@db', 'postgres://me@db'],
    ['a mode of TLS', 'postgres://me@db/x?sslmode=verify-full', 'postgres://me@db/x?sslmode=verify-full'],
  ])('DATABASE_URL with %s', (_name, written, url) => {
    expect(read({ DATABASE_URL: written }).database.url).toBe(url);
  });

  test.each([
    ['DATABASE_URL', 'postgres://'],
    ['DATABASE_URL', 'postgres:///rollcall'],
    ['DATABASE_URL', 'postgres://db'],
    ['DATABASE_URL', 'postgres://db1,db2/rollcall'],
    ['DATABASE_URL', 'postgres://me:12/3@db/rollcall'],
    ['DATABASE_URL', 'postgres://me:12#3@db/rollcall'],
    ['DATABASE_URL', 'postgres://me@db:0/rollcall'],
    ['DATABASE_URL', 'postgres://me@db:99999/rollcall'],
    ['DATABASE_URL', 'postgres://me@db/%FF'],
    ['DATABASE_URL', 'postgres://me@db/roll%call'],
    ['DATABASE_URL', 'postgres://me@db/x?sslmode=verify_full'],
    ['DATABASE_URL', '"postgres://me@db/rollcall"'],
    ['RABBITMQ_URL', 'amqp://'],
    ['RABBITMQ_URL', 'amqp:mq'],
    ['RABBITMQ_URL', 'amqp://mq1,mq2'],
    ['RABBITMQ_URL', 'amqp://me:12/3@mq/vhost'],
    ['RABBITMQ_URL', 'amqp://mq:0'],
    ['RABBITMQ_URL', 'amqp://mq/#'],
    ['RABBITMQ_URL', 'amqp://mq?heartbeat=20s'],
    ['RABBITMQ_URL', 'localhost:5672'],
    ['SMTP_URL', 'smtp:'],
    ['SMTP_URL', 'smtp://'],
    ['SMTP_URL', 'smtp://:587'],
    ['SMTP_URL', 'smtp://me:%ff@mail'],
    ['SMTP_URL', 'smtp://mail:0'],
    ['SMTP_URL', 'OFF'],
    ['SMTP_URL', 'mail.example.com'],
    ['PUBLIC_URL', 'https://example.com/?from=mail'],
    ['PUBLIC_URL', 'https://example.com/#/'],
    ['PUBLIC_URL', 'https://me:secret@example.com'],
    ['PUBLIC_URL', 'localhost:3000'],
    ['LAMBDA_ENDPOINT', '127.0.0.1:3002'],
    ['BREACHED_PASSWORDS', 'https://me:secret@pwned.example.com/range/'],
    ['BREACHED_PASSWORDS', 'https://pwned.example.com/range/?mode=ntlm'],
    ['BREACHED_PASSWORDS', 'https://pwned.example.com/range/#'],
    ['BREACHED_PASSWORDS', 'pwned.txt'],
    ['BREACHED_PASSWORDS', 'OFF'],
  ])('%s=%s is refused', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(`^  ${name} must `, 'm'));
  });

  test('PUBLIC_URL is read in its normal form, so that links in mails are', () => {
    const publicUrl = (value: string) => read({ PUBLIC_URL: value }).mail.publicUrl;
    expect(publicUrl('https://Example.com:443/app//')).toBe('https://example.com/app');
    expect(publicUrl(' https://example.com/a b ')).toBe('https://example.com/a%20b');
  });
});

describe('names', () => {
  test.each([
    ['EVENT_EXCHANGE', 'amq.events'],
    ['EVENT_EXCHANGE', 'é'.repeat(128)],
    ['EVENT_EXCHANGE', 'user\nevents'],
    ['QUEUE_PREFIX', 'amq'],
    ['QUEUE_PREFIX', 'amq.rollcall'],
    ['QUEUE_PREFIX', 'x'.repeat(201)],
    ['QUEUE_PREFIX', 'roll\tcall'],
    ['FUNCTION_PREFIX', 'roll call-'],
    ['FUNCTION_PREFIX', 'rollcall.prod'],
    ['APP_NAME', 'Roll\r\ncall'],
    ['APP_NAME', 'x'.repeat(65)],
    ['APP_NAME', '雪'.repeat(65)],
    ['JWT_ISSUER', 'roll\ncall'],
    ['RABBITMQ_USER', 'me\n'],
  ])('%s=%j is refused', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(`^  ${name} must `, 'm'));
  });

  test('every broker has amq.topic, and names are counted in bytes', () => {
    expect(read({ EVENT_EXCHANGE: 'amq.topic' }).events.exchange).toBe('amq.topic');
    expect(read({ QUEUE_PREFIX: 'x'.repeat(200) }).events.queuePrefix).toHaveLength(200);
  });

  test.each([
    [{ queue: 'amq.gen-1' }, '0.queue must not begin with amq.'],
    [{ exchange: 'us\ners' }, '0.exchange must be one line'],
  ])('EVENT_MIRRORS with %j is refused', (change, problem) => {
    const mirrors = JSON.stringify([{ format: 'flat', exchange: 'users', ...change }]);
    expect(() => read({ EVENT_MIRRORS: mirrors })).toThrow(problem);
  });
});

test.each(['fe80::%eth0/64', '[fd00::]/8', '10.0.0.0/8 192.168.0.0/16', '10.0/8', '*', '10.0.0.0/'])(
  'WEBHOOK_ALLOWED_NETWORKS=%s is refused',
  (value) => {
    expect(() => read({ WEBHOOK_ALLOWED_NETWORKS: value })).toThrow(
      /WEBHOOK_ALLOWED_NETWORKS\.0 must be a network/,
    );
  },
);

test.each([
  'DATABASE_URL',
  'BCRYPT_COST',
  'APP_NAME',
  'JWT_ISSUER',
  'MAIL_FROM',
  'SMTP_URL',
  'RABBITMQ_PORT',
])('%s is refused where it is blank', (name) =>
  expect(() => read({ [name]: '  ' })).toThrow(new RegExp(`^  ${name} must `, 'm')),
);

test.each(['1', '900'])('SESSION_IDLE_SECONDS=%s ends every session before its first refresh', (seconds) => {
  const idle = (environment: object) => read({ SESSION_IDLE_SECONDS: seconds, ...environment }).tokens;
  expect(() => idle({})).toThrow(/^ {2}SESSION_IDLE_SECONDS must be more than ACCESS_TOKEN_SECONDS \(900\)/m);
  expect(() => idle({ SESSION_IDLE_SECONDS: '901' })).not.toThrow();
});

test('one message names what is wrong with several variables together, too', () => {
  const wrong = {
    PASSKEY_RP_ID: 'example.com',
    SESSION_IDLE_SECONDS: '60',
    EVENT_MIRRORS: '[{"format":"flat","exchange":"user_events"}]',
  };
  for (const name of Object.keys(wrong))
    expect(() => read(wrong)).toThrow(new RegExp(`^ {2}${name}\\b`, 'm'));
});

test('npm start and serve name what is wrong with their own variables', () => {
  expect(() => readSettings({ HTTP_PORT: '99999', PG_PORT: 'x' }, false)).toThrow(
    /HTTP_PORT must be a port number\n {2}PG_PORT must be a port number/,
  );
  expect(() => readSettings({ HTTP_PORT: '3002' }, true)).toThrow('LAMBDA_PORT must differ from HTTP_PORT');
  expect(readSettings({ HTTP_PORT: '3002' }, false).httpPort).toBe(3002);
  expect(() => checkConfiguration({})).not.toThrow();
  expect(() => checkConfiguration({ DATABASE_URL: 'localhost' })).toThrow('DATABASE_URL must be a URL');
  expect(() => readServeSettings({ PORT: '65536', WEB_CONCURRENCY: '0', SERVE: 'http,x' })).toThrow(
    /SERVE\.1 must be a list of http, relay, poller, webhooks, purge, erasures\n {2}PORT must be a port number\n {2}WEB_CONCURRENCY must be at least 1/,
  );
  for (const HOST of ['http://0.0.0.0', '0.0.0.0:3000', 'a b'])
    expect(() => readServeSettings({ HOST })).toThrow(/^ {2}HOST must /m);
  expect(readServeSettings({ HOST: '[::]' }).host).toBe('::');
  expect(readServeSettings({ PORT: '', WEB_CONCURRENCY: '2', SERVE: 'relay, poller' })).toEqual({
    parts: new Set(['relay', 'poller']),
    host: undefined,
    port: 3000,
    processes: 2,
  });
});
