import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { deadLetters } from '../../../functions/consumers/dead-letters';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import type { Db } from '../../../shared/db/connection';
import { editDeadLetter } from '../../../shared/dead-letters/edit-dead-letter';
import { eraseFromEvents } from '../../../shared/event-operations/erase-store';
import type { UserEvent } from '../../../shared/events/catalog';
import { NOBODY } from '../../../shared/events/origin';
import type { RmqEvent } from '../../../shared/lambda/rmq-event';
import { deleteUserRow, lockUserRow } from '../../../shared/users/user-store';
import { type TestContext, testContext } from '../../setup/context';
import { storedEvents } from '../../setup/events';
import { call } from '../../setup/http';
import { type Person, registerPerson } from '../../setup/people';
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

test('keeps the error of an event whose subject has never been a user', async () => {
  const id = uuidv7();
  const data = { id, host: 'hooks.example', reason: 'gone' };
  const event = { ...deletion(), type: 'webhook.disabled', subject: id, data };
  await store(letter(event));
  expect(await stored()).toMatchObject([{ error: 'no luck', event }]);
  const history = await ctx.db.selectFrom('event_history').select(['kind', 'error']).execute();
  expect(history).toEqual([{ kind: 'dead', error: 'no luck' }]);
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

test.each([0, -1, 1.5, 2 ** 31, Number.NaN, '3'])('stores one with %p attempts', async (attempts) => {
  await deadLetters(() => ctx)(letter('hello', { 'rollcall-attempt': attempts }));
  const stored = await ctx.db.selectFrom('dead_letters').select('attempts').execute();
  expect(stored).toEqual([{ attempts: 0 }]);
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

describe('of a user who was deleted nothing personal comes back', () => {
  const NOW_ANONYMOUS = (id: string) => ({ username: id.replaceAll('-', ''), email: null });
  async function createdEvent(person: Person): Promise<UserEvent> {
    const [event] = (await storedEvents(ctx)).filter(({ subject }) => subject === person.user.id);
    if (event?.type !== 'user.created') throw new Error('There is no such event');
    return event;
  }
  const remove = ({ user, accessToken: token }: Person) =>
    call(deleteUser, ctx, { method: 'DELETE', params: { id: user.id }, token });

  test('with a letter that comes after it', async () => {
    const person = await registerPerson(ctx);
    const other = await registerPerson(ctx);
    const [event, kept] = [await createdEvent(person), await createdEvent(other)];
    expect((await remove(person)).status).toBe(200);
    await store(letter(event));
    await store(letter(kept));
    expect((await stored()).map((row) => row.event)).toEqual([
      { ...event, data: { ...event.data, ...NOW_ANONYMOUS(person.user.id) } },
      kept,
    ]);
  });

  test('with a letter that comes while it is being deleted', async () => {
    const person = await registerPerson(ctx);
    const event = await createdEvent(person);
    let storing: Promise<unknown> | undefined;
    await ctx.db.transaction().execute(async (tx) => {
      await lockUserRow(tx, person.user.id);
      await eraseFromEvents(tx, person.user.id);
      storing = store(letter(event));
      await untilSomebodyWaits(ctx.db);
      await deleteUserRow(tx, person.user.id);
    });
    await storing;
    expect((await stored()).map((row) => row.event)).toMatchObject([{ data: NOW_ANONYMOUS(person.user.id) }]);
  });

  test('with what this version takes for no event, before or after', async () => {
    const person = await registerPerson(ctx);
    const unknown = (id: string) => ({
      ...deletion(),
      type: 'user.renamed',
      subject: id,
      data: { name: 'Jo' },
    });
    await store(letter(unknown(person.user.id)));
    expect((await remove(person)).status).toBe(200);
    await store(letter(unknown(person.user.id)));
    // About something else than a user, for all that is known.
    await store(letter(unknown(uuidv7())));
    const bodies = (await stored()).map(({ body }) => body?.toString() ?? '');
    expect(bodies.map((body) => [body.includes(person.user.id), body.includes('Jo')])).toEqual([
      [true, false],
      [true, false],
      [false, true],
    ]);
  });

  test('with what is put in its place by hand', async () => {
    const person = await registerPerson(ctx);
    const event = await createdEvent(person);
    await store(letter(event));
    expect((await remove(person)).status).toBe(200);
    const [row] = await stored();
    const edited = await editDeadLetter(ctx, row?.id ?? '', event, NOBODY);
    expect(edited.event?.data).toMatchObject(NOW_ANONYMOUS(person.user.id));
    expect((await stored())[0]?.event).toEqual(edited.event);
  });
});

async function untilSomebodyWaits(db: Db): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    if (rows.length > 0) return;
  }
}
