// Every event, sent once more to every consumer there is, through relay, broker, poller and the functions themselves.

import { join } from 'node:path';
import { sql } from 'kysely';
import { handler as forgotPassword } from '../../../functions/auth/forgot-password';
import { handler as logout } from '../../../functions/auth/logout';
import { handler as verifyEmail } from '../../../functions/auth/verify-email';
import { handler as deleteUser } from '../../../functions/users/delete-user';
import { handler as updateUser } from '../../../functions/users/update-user';
import { matches } from '../../../scripts/asyncapi/document';
import { ROOT } from '../../../scripts/function-files';
import { CONSUMER_NAMES, CONSUMERS, type Consumer, queueOf } from '../../../shared/broker/topology';
import { runReplays } from '../../../shared/event-operations/run-replays';
import { parseEvent } from '../../../shared/events/catalog';
import type { BatchResponse, RmqEvent } from '../../../shared/lambda/rmq-event';
import { relayOutbox } from '../../../shared/outbox/relay';
import { insertReplay } from '../../../shared/outbox/replay-store';
import { pollQueues } from '../../../shared/poller/poll-queues';
import { type TestContext, testContext } from '../../setup/context';
import { call } from '../../setup/http';
import { readEvents } from '../../setup/mail-flow';
import { type MailServer, startMailServer, tokenIn } from '../../setup/mail-server';
import { countUnsent, makeDue } from '../../setup/outbox';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';

let ctx: TestContext;
let mail: MailServer;
beforeAll(async () => {
  mail = await startMailServer();
  const settings = { SMTP_URL: mail.url, ADMIN_NOTIFY_EMAIL: 'admin@example.com', RELAY_IDLE_MS: '5' };
  ctx = await testContext(settings);
  // What the functions' own context is made of, at the first call of one.
  Object.assign(process.env, {
    ...settings,
    DATABASE_URL: ctx.config.database.url,
    RABBITMQ_URL: ctx.config.broker.url,
    JWT_SECRET: 'a secret of the tests, long enough',
    QUEUE_PREFIX: ctx.config.events.queuePrefix,
    EVENT_EXCHANGE: ctx.config.events.exchange,
    LOG_LEVEL: 'silent',
  });
});
afterAll(async () => {
  const { containerContext } = await import('../../../shared/context/context');
  await containerContext().db.destroy();
  await ctx.close();
  await mail.stop();
});

/** Runs relay and poller until each consumer's function has answered for so many events. */
async function deliver(expected: Record<Consumer, number>): Promise<void> {
  const answered = new Map<string, number>();
  const failures: BatchResponse['batchItemFailures'] = [];
  const stop = new AbortController();
  let wake = () => {};
  const invoke = async (name: string, payload: unknown) => {
    const consumer = name.slice(ctx.config.lambda.functionPrefix.length);
    const { handler } = await import(join(ROOT, 'functions', 'consumers', `${consumer}.ts`));
    const answer: BatchResponse = await handler(payload);
    failures.push(...answer.batchItemFailures);
    const messages = Object.values((payload as RmqEvent).rmqMessagesByQueue).flat();
    const events = messages.filter(({ data }) => parseEvent(Buffer.from(data, 'base64')));
    answered.set(consumer, (answered.get(consumer) ?? 0) + events.length);
    wake();
    return { kind: 'answered' as const, payload: answer };
  };
  await makeDue(ctx);
  const relaying = Promise.all([relayOutbox(ctx, 60_000, stop.signal), runReplays(ctx, 60_000, stop.signal)]);
  const polling = pollQueues({ ...ctx, invoke }, 60_000, stop.signal);
  const isOver = () =>
    failures.length > 0 || CONSUMER_NAMES.every((name) => (answered.get(name) ?? 0) >= expected[name]);
  while (!isOver()) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  stop.abort();
  await Promise.all([relaying, polling]);
  expect(failures).toEqual([]);
  expect(Object.fromEntries(CONSUMER_NAMES.map((name) => [name, answered.get(name) ?? 0]))).toEqual(expected);
}

/** How many of the stored events each consumer's queue is bound by. */
async function expectedOf(): Promise<Record<Consumer, number>> {
  const events = await readEvents(ctx);
  const count = (patterns: readonly string[]) =>
    events.filter(({ type }) => patterns.some((pattern) => matches(pattern, type))).length;
  return Object.fromEntries(CONSUMER_NAMES.map((name) => [name, count(CONSUMERS[name])])) as Record<
    Consumer,
    number
  >;
}

/**
 * Every row of every table, but of the inbox, which may learn of events that a consumer has nothing to do with, and of the
 * replays themselves.
 */
async function everything(): Promise<Record<string, unknown[]>> {
  const { rows: tables } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' and tablename not in ('inbox', 'replays') order by 1`.execute(
    ctx.db,
  );
  const contents: Record<string, unknown[]> = {};
  for (const { name } of tables) {
    const { rows } = await sql<Record<string, unknown>>`
      select * from ${sql.table(name)} as row order by row::text`.execute(ctx.db);
    // That an event was sent again is all that a replay adds.
    contents[name] = rows.filter((row) => row['kind'] !== 'redelivered');
  }
  return contents;
}

/** Something of all that users do: each type of mail, each count. */
async function live(): Promise<Person[]> {
  const people = [];
  for (let i = 0; i < 4; i++) people.push(await registerPerson(ctx));
  const [leaver, changer, forgetful] = people;
  if (!leaver || !changer || !forgetful) throw new Error('There are four');
  const own = (person: Person) => ({ params: { id: person.user.id }, token: person.accessToken });
  const change = { email: 'new@example.com', currentPassword: PASSWORD };
  await call(updateUser, ctx, { method: 'PUT', body: change, ...own(changer) });
  await call(forgotPassword, ctx, { method: 'POST', body: { email: forgetful.user.email } });
  await call(deleteUser, ctx, { method: 'DELETE', ...own(leaver) });
  await call(logout, ctx, { method: 'POST', body: {}, token: forgetful.accessToken });
  await logInAdmin(ctx);
  return people;
}

test('replaying the whole log changes no row of any table and sends no second mail', async () => {
  const people = await live();
  await deliver(await expectedOf());
  // With the token of a mail that came, so that there is a welcome too.
  const last = people.at(-1)?.user.email;
  const token = tokenIn(mail.mails.find(({ recipients }) => last && recipients.includes(last)));
  const before = await expectedOf();
  await call(verifyEmail, ctx, { method: 'POST', body: { token } });
  const after = await expectedOf();
  const more = CONSUMER_NAMES.map((name) => [name, after[name] - before[name]]);
  await deliver(Object.fromEntries(more) as Record<Consumer, number>);

  const rows = await everything();
  const mails = mail.mails.length;
  expect(rows['dead_letters']).toEqual([]);
  expect([rows['analytics_hourly']?.length, mails]).toEqual([4, expect.any(Number)]);
  expect(mail.mails.filter(({ subject }) => /welcome/i.test(subject ?? ''))).toHaveLength(1);

  for (const name of CONSUMER_NAMES)
    await ctx.db
      .transaction()
      .execute((tx) => insertReplay(tx, ctx.newId(), { queue: queueOf(ctx.config.events, name) }));
  const all = rows['events']?.length ?? 0;
  await deliver(Object.fromEntries(CONSUMER_NAMES.map((name) => [name, all])) as Record<Consumer, number>);

  expect(await everything()).toEqual(rows);
  expect(mail.mails).toHaveLength(mails);
  expect(await countUnsent(ctx)).toBe(0);
  const replays = await ctx.db.selectFrom('replays').select(['dispatched', 'sent', 'finished_at']).execute();
  expect(replays).toEqual(
    CONSUMER_NAMES.map(() => ({ dispatched: String(all), sent: String(all), finished_at: expect.any(Date) })),
  );
});
