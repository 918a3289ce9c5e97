// Every consumer function as AWS Lambda calls it for Amazon MQ, with the exported handler and its container's own
// context. The message is the example of the AWS Lambda developer guide, "Using Lambda with Amazon MQ", RabbitMQ record
// event (https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html), with an event of ours for its data.
import { join } from 'node:path';
import { uuidv7 } from 'uuidv7';
import { matches } from '../../../scripts/asyncapi/document';
import { publishedSchemas } from '../../../scripts/asyncapi/event-schemas';
import { exampleOf } from '../../../scripts/asyncapi/example';
import { ROOT } from '../../../scripts/function-files';
import { CONSUMER_NAMES, CONSUMERS, type Consumer } from '../../../shared/broker/topology';
import { EVENT_TYPES, parseEvent, type UserEvent } from '../../../shared/events/catalog';
import {
  type BatchResponse,
  POLLER_ARN,
  type RmqEvent,
  type RmqMessage,
} from '../../../shared/lambda/rmq-event';
import { type TestContext, testContext } from '../../setup/context';

const BROKER_ARN =
  'arn:aws:mq:us-west-2:111122223333:broker:pizzaBroker:b-9bcfa592-423a-4942-879d-eb284b418fc8';

const DOCUMENTED: RmqMessage = {
  basicProperties: {
    contentType: 'text/plain',
    contentEncoding: null,
    headers: {
      header1: { bytes: [118, 97, 108, 117, 101, 49] },
      header2: { bytes: [118, 97, 108, 117, 101, 50] },
      numberInHeader: 10,
    },
    deliveryMode: 1,
    priority: 34,
    correlationId: null,
    replyTo: null,
    expiration: '60000',
    messageId: null,
    timestamp: 'Jan 1, 1970, 12:33:41 AM',
    type: null,
    userId: 'AIDACKCEVSQ6C2EXAMPLE',
    appId: null,
    clusterId: null,
    bodySize: 80,
  },
  redelivered: false,
  data: 'eyJ0aW1lb3V0IjowLCJkYXRhIjoiQ1pybWYwR3c4T3Y0YnFMUXhENEUifQ==',
};

/** No publisher has set anything: all that the broker knows is how long it is. */
const BARE: RmqMessage['basicProperties'] = {
  ...{ contentType: null, contentEncoding: null, headers: null, deliveryMode: null, priority: null },
  ...{ correlationId: null, replyTo: null, expiration: null, messageId: null, timestamp: null },
  ...{ type: null, userId: null, appId: null, clusterId: null },
  bodySize: 80,
};

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
  // What the container's context is made of, at the first call of a handler.
  Object.assign(process.env, {
    DATABASE_URL: ctx.config.database.url,
    RABBITMQ_URL: ctx.config.broker.url,
    JWT_SECRET: 'a secret of the tests, long enough',
    QUEUE_PREFIX: ctx.config.events.queuePrefix,
    EVENT_EXCHANGE: ctx.config.events.exchange,
    SMTP_URL: 'off',
    LOG_LEVEL: 'silent',
  });
});
afterAll(async () => {
  const { containerContext } = await import('../../../shared/context/context');
  await containerContext().db.destroy();
  await ctx.close();
});

const schemas = publishedSchemas();

/** A new event of each type that the consumer's queue is bound by. */
function eventsFor(consumer: Consumer): UserEvent[] {
  const patterns: readonly string[] = CONSUMERS[consumer];
  return EVENT_TYPES.filter((type) => patterns.some((pattern) => matches(pattern, type))).map((type) => {
    const example = Object.assign({}, exampleOf(schemas.get(type)), { id: uuidv7() });
    const event = parseEvent(Buffer.from(JSON.stringify(example)));
    if (!event) throw new Error(`The example of ${type} is no event`);
    return event;
  });
}

function messageOf(event: UserEvent, properties = DOCUMENTED.basicProperties): RmqMessage {
  return {
    ...DOCUMENTED,
    basicProperties: properties,
    data: Buffer.from(JSON.stringify(event)).toString('base64'),
  };
}

const batchOf = (consumer: Consumer, messages: RmqMessage[], arn = BROKER_ARN): RmqEvent => ({
  eventSource: 'aws:rmq',
  eventSourceArn: arn,
  rmqMessagesByQueue: { [`rollcall.${consumer}::/`]: messages },
});

async function handlerOf(consumer: Consumer): Promise<(event: RmqEvent) => Promise<BatchResponse>> {
  const { handler } = await import(join(ROOT, 'functions', 'consumers', `${consumer}.ts`));
  return handler;
}

async function handled(consumer: Consumer): Promise<string[]> {
  const rows = await ctx.db.selectFrom('inbox').select('event_id').where('consumer', '=', consumer).execute();
  return rows.map(({ event_id }) => event_id).sort();
}

const consumers = CONSUMER_NAMES.filter((name) => CONSUMERS[name].length > 0);

describe.each(consumers)('%s', (consumer) => {
  beforeEach(() => ctx.db.deleteFrom('inbox').execute());

  test.each([
    ['the documented properties', DOCUMENTED.basicProperties],
    ['no properties at all', BARE],
  ])("takes what Amazon MQ's mapping sends, with %s", async (_name, properties) => {
    const handler = await handlerOf(consumer);
    const events = eventsFor(consumer);
    const batch = batchOf(
      consumer,
      events.map((event) => messageOf(event, properties)),
    );
    expect(await handler(batch)).toEqual({ batchItemFailures: [] });
    expect(await handled(consumer)).toEqual(events.map(({ id }) => id).sort());
    // Delivered again, as the mapping does after a failure: the same answer.
    for (const message of Object.values(batch.rmqMessagesByQueue).flat()) message.redelivered = true;
    expect(await handler(batch)).toEqual({ batchItemFailures: [] });
  });

  test('throws for a message that is no event, so that the mapping sends the batch again', async () => {
    const handler = await handlerOf(consumer);
    const events = eventsFor(consumer);
    const batch = batchOf(consumer, [DOCUMENTED, ...events.map((event) => messageOf(event))]);
    await expect(handler(batch)).rejects.toThrow("1 of the batch's messages failed: not a valid event");
    // The others took effect, and are skipped when they come again.
    expect(await handled(consumer)).toEqual(events.map(({ id }) => id).sort());
  });

  test('names it to our poller, which asks for no more than that one', async () => {
    const handler = await handlerOf(consumer);
    const messageId = uuidv7();
    const wrong = { ...DOCUMENTED, basicProperties: { ...DOCUMENTED.basicProperties, messageId } };
    const events = eventsFor(consumer);
    const batch = batchOf(consumer, [wrong, ...events.map((event) => messageOf(event))], POLLER_ARN);
    expect(await handler(batch)).toEqual({
      batchItemFailures: [{ itemIdentifier: messageId, reason: 'not a valid event' }],
    });
    expect(await handled(consumer)).toEqual(events.map(({ id }) => id).sort());
  });

  test('several queues in one call, and none at all', async () => {
    const handler = await handlerOf(consumer);
    const events = eventsFor(consumer);
    const [first, ...others] = events.map((event) => messageOf(event));
    const batch = batchOf(consumer, others);
    batch.rmqMessagesByQueue['another::/'] = first ? [first] : [];
    expect(await handler(batch)).toEqual({ batchItemFailures: [] });
    expect(await handled(consumer)).toEqual(events.map(({ id }) => id).sort());
    expect(await handler({ ...batch, rmqMessagesByQueue: {} })).toEqual({ batchItemFailures: [] });
  });
});
