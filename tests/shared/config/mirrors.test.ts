import { readConfig } from '../../../shared/config';
import { parseMirrors } from '../../../shared/config/mirrors';

const REQUIRED = {
  DATABASE_URL: 'postgres://localhost/rollcall',
  RABBITMQ_URL: 'amqp://localhost',
  JWT_SECRET: 'x'.repeat(32),
};
const mirrorsOf = (mirrors: unknown, more: Record<string, string> = {}) =>
  readConfig({ ...REQUIRED, EVENT_MIRRORS: JSON.stringify(mirrors), ...more }).events.mirrors;

test('none by default', () => {
  expect(readConfig(REQUIRED).events.mirrors).toEqual([]);
});

test('a format and an exchange are enough, and give the consumer the event that it knows', () => {
  expect(mirrorsOf([{ format: 'flat', exchange: 'users' }])).toEqual([
    {
      format: 'flat',
      exchange: 'users',
      exchangeType: 'topic',
      routingKey: undefined,
      queue: undefined,
      types: ['user.created'],
    },
  ]);
});

test('cloudevents has all types; types says otherwise', () => {
  const [all, some] = mirrorsOf([
    { format: 'cloudevents', exchange: 'a' },
    { format: 'cloudevents', exchange: 'a', types: ['session.created'] },
  ]);
  expect(all?.types).toContain('session.revoked');
  expect(some?.types).toEqual(['session.created']);
});

test('through the default exchange, the queue is the routing key', () => {
  expect(mirrorsOf([{ format: 'typed', exchange: '', queue: 'user_created' }])).toMatchObject([
    { exchange: '', queue: 'user_created', routingKey: 'user_created' },
  ]);
});

const GOOD = { format: 'flat', exchange: 'users' };
test.each<[string, unknown, string]>([
  ['no list', GOOD, 'EVENT_MIRRORS must be a list'],
  ['no object', ['flat'], '0 must be an object'],
  ['no format', [{ exchange: 'x' }], '0.format is missing'],
  ['no exchange', [{ format: 'flat' }], '0.exchange is missing'],
  ['an unknown format', [GOOD, { ...GOOD, format: 'xml' }], '1.format must be one of typed, envelope, flat'],
  ['an unknown field', [{ ...GOOD, quue: 'q' }], '0.quue is not a known field'],
  [
    'a type of exchange that routes otherwise',
    [{ ...GOOD, exchangeType: 'headers' }],
    '0.exchangeType must be',
  ],
  ['an empty queue', [{ ...GOOD, queue: '' }], '0.queue must not be empty'],
  ['an empty routing key', [{ ...GOOD, routingKey: '' }], '0.routingKey must not be empty'],
  [
    'a name that AMQP has no room for',
    [{ ...GOOD, exchange: 'ü'.repeat(128) }],
    '0.exchange must have at most 255 bytes',
  ],
  ['no types', [{ ...GOOD, types: [] }], '0.types must not be empty'],
  ['an unknown type', [{ ...GOOD, types: ['user.born'] }], '0.types.0 must be one of user.created'],
  ['a type twice', [{ ...GOOD, types: ['user.created', 'user.created'] }], '0.types has a type twice'],
  [
    'a type without a form',
    [{ ...GOOD, types: ['session.created'] }],
    '0.types: flat does not support session.created',
  ],
  ['the default exchange without a queue', [{ format: 'flat', exchange: '' }], '0.queue is missing'],
  [
    'the default exchange with another routing key',
    [{ format: 'flat', exchange: '', queue: 'q', routingKey: 'r' }],
    '0.routingKey',
  ],
  [
    'the default exchange with a type',
    [{ format: 'flat', exchange: '', queue: 'q', exchangeType: 'topic' }],
    '0.exchangeType',
  ],
])('refuses %s', (_name, mirrors, message) => {
  expect(() => mirrorsOf(mirrors)).toThrow(message);
});

test('names everything that is wrong at once, and repeats no value', () => {
  const wrong = () =>
    parseMirrors('[{"format":"hunter2"},{"format":"flat","exchange":"x","types":["hunter2"]}]');
  expect(wrong).toThrow(/^0\.format must be .*; 0\.exchange is missing; 1\.types\.0 must be/);
  expect(wrong).not.toThrow('hunter2');
  expect(() => mirrorsOf('', { EVENT_MIRRORS: '[{"format":"flat",' })).toThrow('EVENT_MIRRORS is not JSON');
});

test.each([
  ['the exchange of the events', { exchange: 'user_events' }, '0.exchange'],
  ["a consumer's queue", { exchange: 'x', queue: 'rollcall.audit' }, '0.queue'],
  ['the dead letters', { exchange: 'rollcall.dead' }, '0.exchange'],
])('refuses %s, whose consumers take events only', (_name, mirror, message) => {
  expect(() => mirrorsOf([{ format: 'flat', ...mirror }])).toThrow(`${message} is one of Rollcall's own`);
  expect(
    mirrorsOf([{ format: 'flat', ...mirror }], { EVENT_EXCHANGE: 'x.events', QUEUE_PREFIX: 'x' }),
  ).toHaveLength(1);
});
