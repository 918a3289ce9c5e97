import fc from 'fast-check';
import { readConfig } from '../../../shared/config';
import { clientAddress } from '../../../shared/http/client-address';

const PROXIES = ['10.0.0.0/8', '203.0.113.0/24', 'fd00::/8', '2001:db8:ff::/48'];
const CLIENT = '198.51.100.23';

test.each<[string, string, string | undefined, string[], string]>([
  ['no proxy is trusted', '10.0.0.1', CLIENT, [], '10.0.0.1'],
  ['the request comes from elsewhere', '192.0.2.1', CLIENT, PROXIES, '192.0.2.1'],
  ['the proxy says nothing', '10.0.0.1', undefined, PROXIES, '10.0.0.1'],
  ['one proxy', '10.0.0.1', CLIENT, PROXIES, CLIENT],
  ['two proxies', '10.0.0.1', `${CLIENT}, 203.0.113.9`, PROXIES, CLIENT],
  ['the gateway repeats whom it heard from', '203.0.113.9', `${CLIENT}, 203.0.113.9`, PROXIES, CLIENT],
  ['the client has made up some', '10.0.0.1', `8.8.8.8, 10.9.9.9, ${CLIENT}`, PROXIES, CLIENT],
  [
    'the client has made up a proxy',
    '10.0.0.1',
    `8.8.8.8, 203.0.113.9, ${CLIENT}, 10.0.0.2`,
    PROXIES,
    CLIENT,
  ],
  ['a proxy asks for itself', '10.0.0.1', '10.0.0.7', PROXIES, '10.0.0.7'],
  ['the client is hidden', '10.0.0.1', '8.8.8.8, unknown', PROXIES, '10.0.0.1'],
  ['a hidden one is before a proxy', '10.0.0.1', '8.8.8.8, _gazonk, 203.0.113.9', PROXIES, '203.0.113.9'],
  ['nothing between commas', '10.0.0.1', `${CLIENT},,`, PROXIES, '10.0.0.1'],
  ['a port', '10.0.0.1', `8.8.8.8, ${CLIENT}:49152`, PROXIES, CLIENT],
  ['IPv6', 'fd00::1', '8.8.8.8, 2001:db8::23', PROXIES, '2001:db8::23'],
  ['IPv6 with a port', '10.0.0.1', '[2001:db8::23]:443', PROXIES, '2001:db8::23'],
  ['IPv6 with a zone', '10.0.0.1', 'fe80::1%eth0', PROXIES, '10.0.0.1'],
  ['a proxy in the IPv6 form of IPv4', '::ffff:10.0.0.1', CLIENT, PROXIES, CLIENT],
  ['space', '10.0.0.1', `  8.8.8.8 ,\t${CLIENT}  `, PROXIES, CLIENT],
])('%s', (_name, source, forwardedFor, trusted, address) => {
  expect(clientAddress(source, forwardedFor, trusted)).toBe(address);
});

test('nothing that a client can write changes the address, with and without proxies', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constant('10.0.0.2')), (written) => {
      expect(clientAddress('192.0.2.1', written, PROXIES)).toBe('192.0.2.1');
      expect(clientAddress('10.0.0.1', written, [])).toBe('10.0.0.1');
      expect(clientAddress('10.0.0.1', `${written}, ${CLIENT}`, PROXIES)).toBe(CLIENT);
      expect(clientAddress('10.0.0.1', `${written}, ${CLIENT}, 203.0.113.1`, PROXIES)).toBe(CLIENT);
    }),
  );
});

test('no address is none, and TRUSTED_PROXIES takes networks, but not all of them at once', () => {
  expect(clientAddress(undefined, CLIENT, PROXIES)).toBeNull();
  const read = (TRUSTED_PROXIES: string) =>
    readConfig({
      DATABASE_URL: 'postgres://localhost/rollcall',
      RABBITMQ_URL: 'amqp://localhost',
      JWT_SECRET: 'a secret of the tests, long enough',
      TRUSTED_PROXIES,
    }).trustedProxies;
  expect(read('')).toEqual([]);
  expect(read('10.0.0.0/8, 2001:db8::/32')).toEqual(['10.0.0.0/8', '2001:db8::/32']);
  for (const wrong of ['0.0.0.0/0', '::/0', '10.0.0.1', 'cloudfront', '*', 'true', '10.0.0.0/8;fd00::/8']) {
    expect(() => read(wrong)).toThrow(/TRUSTED_PROXIES\.0 must be a network/);
  }
});
