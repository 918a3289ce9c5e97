// A handler that takes too long: its transaction ends, its connection is free again, and the others are handled.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import { consumer, type EventHandler } from '../../../shared/consumers/consumer';
import type { EventType, UserEvent } from '../../../shared/events/catalog';
import { createInvoke } from '../../../shared/lambda/invoke';
import { type TestContext, testContext } from '../../setup/context';
import { rmqEvent } from '../../setup/rmq';

let ctx: TestContext;
beforeEach(async () => {
  // One connection: whoever keeps it stops everybody.
  ctx = await testContext({ HANDLER_TIMEOUT_MS: '4000', DATABASE_POOL_SIZE: '1' });
});
afterEach(() => ctx.close());

const events = (count: number): UserEvent[] =>
  Array.from({ length: count }, () => {
    const subject = uuidv7();
    return {
      specversion: '1.0',
      id: uuidv7(),
      source: 'rollcall',
      type: 'user.email_verified',
      subject,
      time: '2026-11-20T16:37:15.123Z',
      datacontenttype: 'application/json',
      sequence: '0000000001',
      data: { id: subject },
    };
  });
const inbox = async () =>
  (await ctx.db.selectFrom('inbox').select('event_id').execute()).map(({ event_id }) => event_id);
const hangOver =
  (id: string | undefined): EventHandler<EventType> =>
  async (event) => {
    if (event.id === id) await new Promise(() => {});
  };

test('with a transaction for each, that event has failed, and what there is no time for is untried', async () => {
  const [before, hanging, after] = events(3);
  const handle = consumer('emails', { 'user.email_verified': hangOver(hanging?.id) }, () => ctx, 'each');
  const batch = [before, hanging, after].flatMap((event) => event ?? []);
  expect(await handle(rmqEvent(batch))).toEqual({
    batchItemFailures: [
      { itemIdentifier: hanging?.id, reason: 'not done within 4 s' },
      { itemIdentifier: after?.id, reason: 'not tried: the function has no time left', untried: true },
    ],
  });
  expect(await inbox()).toEqual([before?.id]);
});

test('with one transaction for all, the call fails, and nothing of it remains', async () => {
  const batch = events(3);
  const handle = consumer('audit', { '*': hangOver(batch[1]?.id) }, () => ctx);
  await expect(handle(rmqEvent(batch))).rejects.toThrow('not done within 4 s');
  expect(await inbox()).toEqual([]);
});

test('what the handler does later is refused', async () => {
  const [event] = events(1);
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => (goOn = resolve));
  let late: Promise<unknown> | undefined;
  const handle = consumer(
    'audit',
    async (_events, tx) => {
      late = waiting.then(() => sql`create table made_too_late (id integer)`.execute(tx));
      // Whoever waits for it hears of it.
      late.catch(() => {});
      await late;
    },
    () => ctx,
  );
  const answer = await handle(rmqEvent(event ? [event] : []));
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: event?.id, reason: 'not done within 4 s' }]);
  goOn();
  await expect(late).rejects.toThrow('not done within 4 s');
});

test('a call of a function that nobody waits for any more ends its request', async () => {
  const closed = new Promise<void>((resolve) => {
    server.on('request', (request) => request.socket.on('close', () => resolve()));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const invoke = createInvoke({ endpoint: `http://127.0.0.1:${port}`, functionPrefix: '' });
  const abandoned = new AbortController();
  server.once('request', () => abandoned.abort());
  expect(await invoke('audit', {}, abandoned.signal)).toMatchObject({ kind: 'unavailable' });
  await closed;
  server.close();
});
const server = createServer();
