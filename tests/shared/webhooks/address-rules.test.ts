import { kindOfAddress } from '../../../shared/webhooks/address-rules';
import { problemOfUrl } from '../../../shared/webhooks/find-target';
import { resolveHost } from '../../../shared/webhooks/resolve-host';
import { newSecret, showSecret, signMessage } from '../../../shared/webhooks/sign';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '172.32.0.1',
  '100.128.0.1',
  '192.0.1.1',
  '2606:4700:4700::1111',
  '2a00:1450::1',
])('%s is public', (address) => {
  expect(kindOfAddress(address, [])).toBe('public');
});

test.each([
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.255.0.1', '169.254.169.254', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.51.100.1'],
  ...['203.0.113.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
  ],
  ...[
    '64:ff9b:1::7f00:1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
  ],
  ...[
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
    '127.1',
    '2130706433',
  ],
])('%j is forbidden', (address) => {
  expect(kindOfAddress(address, [])).toBe('forbidden');
});

test('an allowed network is allowed, and no other', () => {
  const kinds = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1', 'fd00::1', '8.8.8.8'];
  expect(kinds.map((address) => kindOfAddress(address, LOOPBACK))).toEqual([
    ...Array(4).fill('allowed'),
    'forbidden',
    'forbidden',
    'public',
  ]);
});

test.each<[string, string[], RegExp | null]>([
  ['https://receiver.example/hook?x=1', [], null],
  ['https://receiver.example:8443/', [], null],
  ['https://[2606:4700::1111]/', [], null],
  ['http://receiver.example/', [], /https/],
  ['http://8.8.8.8/', LOOPBACK, /https/],
  ['http://localhost:4000/', LOOPBACK, null],
  ['http://127.0.0.1:4000/', LOOPBACK, null],
  ['http://[::1]:4000/', LOOPBACK, null],
  ['http://10.0.0.1:4000/', LOOPBACK, /public/],
  ['https://127.0.0.1/', [], /public/],
  ['https://0x7f.1/', [], /public/],
  ['https://2130706433/', [], /public/],
  ['https://0177.0.0.1/', [], /public/],
  ['https://[::ffff:169.254.169.254]/', [], /public/],
  ['https://[fd00:ec2::254]/', [], /public/],
  ['https://me:secret@receiver.example/', [], /credentials/],
  ['https://me@receiver.example/', [], /credentials/],
  ['https://receiver.example:25/', [], /port/],
  ['https://receiver.example:0/', [], /port/],
  ['ftp://receiver.example/', [], /https/],
  ['file:///etc/passwd', [], /https/],
  ['javascript:alert(1)', [], /https/],
])('%s with %j allowed: %s', (url, allowed, problem) => {
  const found = problemOfUrl(new URL(url), allowed);
  if (problem === null) expect(found).toBeNull();
  else expect(found).toMatch(problem);
});

test('localhost is this machine without asking anyone, and an address is itself', async () => {
  for (const name of ['localhost', 'LOCALHOST', 'app.localhost', 'localhost.']) {
    expect(await resolveHost(name)).toEqual(['127.0.0.1', '::1']);
  }
  expect(await resolveHost('192.0.2.1')).toEqual(['192.0.2.1']);
});

test('a secret is 32 random bytes, and the signature what the specification says', () => {
  expect(showSecret(newSecret())).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(showSecret(newSecret())).not.toBe(showSecret(newSecret()));
  // The example of the reference implementation's own tests.
  const secret = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
  const at = new Date(1614265330 * 1000);
  const headers = signMessage('msg_p5jXN8AQM9LWM0D4loKWxJek', at, '{"test": 2432232314}', [secret, secret]);
  const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': `${signature} ${signature}`,
  });
});
