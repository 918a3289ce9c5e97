import { Parser } from '@asyncapi/parser';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import * as v from 'valibot';
import { handler as asyncapi } from '../../../functions/ops/asyncapi';
import { asyncapiDocument, matches } from '../../../scripts/asyncapi/document';
import { publishedSchemas } from '../../../scripts/asyncapi/event-schemas';
import { RECEIPT_NAMES } from '../../../scripts/asyncapi/receipts';
import served from '../../../shared/asyncapi/asyncapi.json';
import { CONSUMER_NAMES, CONSUMERS, queueOf, RECEIPTS } from '../../../shared/broker/topology';
import { readConfig } from '../../../shared/config';
import { ReceiptMessage } from '../../../shared/erasure/receipt';
import { EVENT_TYPES, parseEvent } from '../../../shared/events/catalog';
import { eventMessage } from '../../../shared/outbox/send-event';
import { openClient } from '../../setup/broker';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

const config = readConfig({
  DATABASE_URL: 'postgres://localhost/rollcall',
  RABBITMQ_URL: 'amqp://localhost',
  JWT_SECRET: 'x'.repeat(32),
});
/** Of what a message, channel or operation is about, by its name. */
const entriesOf = (part: object): [string, Record<string, unknown>][] => Object.entries(part);

const events = () =>
  entriesOf(served.components.messages).filter(([name]) => EVENT_TYPES.some((type) => type === name));

test('serves the document, for everyone and to be kept for a while', async () => {
  const { status, headers, body } = await call(asyncapi, ctx);
  expect([status, body]).toEqual([200, served]);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'public, max-age=300',
  });
});

test('is up to date: else run `npm run asyncapi`', () => {
  expect(JSON.parse(JSON.stringify(asyncapiDocument()))).toEqual(served);
});

test('is valid AsyncAPI 3', async () => {
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(served));
  // 3.0 is what most tools read; the parser would like the newest.
  expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
  expect(
    document
      ?.messages()
      .all()
      .map((message) => message.name())
      .sort(),
  ).toEqual([...EVENT_TYPES, ...RECEIPT_NAMES].sort());
});

test('the parser does find what is wrong', async () => {
  const wrong = structuredClone(served);
  wrong.operations['receive.audit'].channel.$ref = '#/channels/nowhere';
  const { diagnostics } = await new Parser().parse(JSON.stringify(wrong));
  expect(diagnostics.filter(({ severity }) => severity === 0)).not.toEqual([]);
});

test('every message has an example that is an event, by our code and by its published schema', () => {
  const ajv = addFormats(new Ajv2020({ strict: false }));
  const schemas = new Map<string, object>(publishedSchemas());
  for (const [type, { examples }] of events()) {
    const [{ payload }] = examples as [{ payload: unknown }];
    expect(parseEvent(Buffer.from(JSON.stringify(payload)))).toEqual(payload);
    expect([type, ajv.validate(schemas.get(type) ?? {}, payload)]).toEqual([type, true]);
  }
});

test('says of a message on the wire what it is like', () => {
  for (const [type, { contentType, bindings, examples }] of events()) {
    const [{ payload }] = examples as [{ payload: unknown }];
    const event = parseEvent(Buffer.from(JSON.stringify(payload)));
    if (!event) throw new Error(`No example of ${type}`);
    const sent = eventMessage(config.events, event);
    const channel = entriesOf(served.channels).find(([name]) => name === type)?.[1];
    expect(sent.properties).toMatchObject({
      contentType,
      type: (bindings as { amqp: { messageType: string } }).amqp.messageType,
    });
    expect(channel).toMatchObject({
      address: sent.routingKey,
      bindings: { amqp: { exchange: { name: sent.exchange } } },
    });
  }
});

test('has the queue of every consumer, with what it is bound to', () => {
  const queues = entriesOf(served.channels).flatMap(([, { address, bindings }]) =>
    (bindings as { amqp: { is: string } }).amqp.is === 'queue' ? [address] : [],
  );
  expect(queues.sort()).toEqual(
    [
      ...CONSUMER_NAMES.filter((name) => CONSUMERS[name].length > 0).map((name) =>
        queueOf(config.events, name),
      ),
      queueOf(config.events, RECEIPTS),
    ].sort(),
  );
  expect(Object.keys(served.channels['rollcall.audit'].messages)).toEqual(EVENT_TYPES);
  expect(Object.keys(served.channels['rollcall.admin-notices'].messages)).toEqual(['user.created']);
});

test('has what data holders send to Rollcall, with examples that it takes', () => {
  expect(served.operations['receive.receipts']).toMatchObject({
    action: 'receive',
    channel: { $ref: '#/channels/rollcall.receipts' },
  });
  const ajv = addFormats(new Ajv2020({ strict: false }));
  const schemas: Record<string, object> = served.components.schemas;
  const messages = new Map(entriesOf(served.components.messages));
  for (const name of RECEIPT_NAMES) {
    const { examples } = messages.get(name) ?? {};
    const [{ payload }] = examples as [{ payload: unknown }];
    expect([name, ajv.validate(schemas[name] ?? false, payload)]).toEqual([name, true]);
    expect(v.parse(ReceiptMessage, payload)).toEqual(payload);
  }
});

test('a pattern means to the document what it means to the broker', async () => {
  const { model, channel } = await openClient();
  const exchange = `${ctx.config.events.queuePrefix}-patterns`;
  await channel.assertExchange(exchange, 'topic');
  const patterns = ['#', '*', 'a', 'a.*', 'a.#', '#.b', '*.b', 'a.#.b', 'a.*.b', '#.*', 'b.#'];
  const keys = ['a', 'b', 'a.b', 'a.c', 'a.a.b', 'a.a.c', 'a.x.y.b', 'ab'];
  for (const pattern of patterns) {
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, pattern);
    for (const key of keys) channel.publish(exchange, key, Buffer.from(key));
    await channel.waitForConfirms();
    const taken: string[] = [];
    for (let got = await channel.get(queue); got; got = await channel.get(queue))
      taken.push(got.fields.routingKey);
    expect([pattern, taken]).toEqual([pattern, keys.filter((key) => matches(pattern, key))]);
    await channel.deleteQueue(queue);
  }
  await channel.deleteExchange(exchange);
  await model.close();
});
