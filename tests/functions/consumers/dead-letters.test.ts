import { uuidv7 } from 'uuidv7';
import { deadLetters } from '../../../functions/consumers/dead-letters';
import type { UserEvent } from '../../../shared/events/catalog';
import type { RmqEvent } from '../../../shared/events/rmq-event';
import { type TestContext, testContext } from '../../setup/context';
import { rmqEvent } from '../../setup/rmq';

let ctx: TestContext;
beforeEach(async () => {
  ctx = await testContext();
});
afterEach(() => ctx.close());

const bytes = (text: string) => ({ bytes: [...Buffer.from(text)] });

function letter(body: unknown, headers: Record<string, unknown> = {}): RmqEvent {
  const batch = rmqEvent([{ ...deletion(), id: uuidv7() }]);
  for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
    message.data = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)).toString('base64');
    message.basicProperties.headers = {
      'rollcall-queue': bytes('rollcall.audit'),
      'rollcall-error': bytes('no luck'),
      'rollcall-attempt': 6,
      ...headers,
    };
  }
  return batch;
}

function deletion(): UserEvent {
  const subject = uuidv7();
  return {
    specversion: '1.0',
    id: uuidv7(),
    source: 'rollcall',
    type: 'user.deleted',
    subject,
    time: '2026-11-20T16:37:15.123Z',
    datacontenttype: 'application/json',
    sequence: '0000000001',
    data: { id: subject },
  };
}

const store = (batch: RmqEvent) => deadLetters(() => ctx)(batch);
const stored = () => ctx.db.selectFrom('dead_letters').selectAll().orderBy('id').execute();

test('stores an event, with where it failed, why and after how many attempts', async () => {
  const event = deletion();
  expect(await store(letter(event))).toEqual({ batchItemFailures: [] });
  expect(await stored()).toMatchObject([
    { queue: 'rollcall.audit', error: 'no luck', attempts: 6, subject: event.subject, event, body: null },
  ]);
});

test.each([
  ['no JSON', '{'],
  ['U+0000, which PostgreSQL cannot store in JSON', '{"a":"\\u0000"}'],
  ['bytes', '\0\u0001'],
])('stores %s as it came', async (_name, body) => {
  await store(letter(body));
  expect(await stored()).toMatchObject([{ event: null, subject: null, body: Buffer.from(body) }]);
});

test('stores a message without any headers, and with an error that no column takes', async () => {
  const bare = letter('x');
  for (const message of Object.values(bare.rmqMessagesByQueue).flat()) {
    message.basicProperties.headers = null;
    message.basicProperties.messageId = null;
  }
  await store(bare);
  await store(letter('y', { 'rollcall-error': bytes('\0'), 'rollcall-attempt': 'many' }));
  expect(await stored()).toMatchObject([
    { queue: 'unknown', error: 'unknown', attempts: 0, message_id: null },
    { queue: 'rollcall.audit', error: '\ufffd', attempts: 0 },
  ]);
});

test('one that is delivered twice is stored once, with its latest error', async () => {
  const batch = letter(deletion());
  await store(batch);
  for (const message of Object.values(batch.rmqMessagesByQueue).flat()) {
    message.basicProperties.headers = {
      ...message.basicProperties.headers,
      'rollcall-error': bytes('again'),
    };
  }
  await store(batch);
  expect(await stored()).toMatchObject([{ error: 'again' }]);
});

test('throws where the database is gone, so that the batch comes again', async () => {
  const batch = letter(deletion());
  await ctx.db.schema.alterTable('dead_letters').renameTo('elsewhere').execute();
  await expect(store(batch)).rejects.toThrow('dead_letters');
});
