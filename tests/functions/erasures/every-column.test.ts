// What an erasure does with every column of the database. A new table, and a new column of a table that outlives the user, needs
// a line here; and what the lines say is tried out.
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { handler as login } from '../../../functions/auth/login';
import { handler as updateUser } from '../../../functions/users/update-user';
import { handler as createWebhook } from '../../../functions/webhooks/create-webhook';
import { ERROR_HEADER, QUEUE_HEADER, queueOf } from '../../../shared/broker/topology';
import { takeInDeadLetters } from '../../../shared/dead-letters/take-in-dead-letters';
import { recordHistory } from '../../../shared/event-history/history-store';
import type { UserEvent } from '../../../shared/events/catalog';
import { type TestContext, testContext } from '../../setup/context';
import { erase, holder } from '../../setup/erasures';
import { call } from '../../setup/http';
import { readEvents } from '../../setup/mail-flow';
import { logInAdmin, PASSWORD, type Person, registerPerson } from '../../setup/people';
import { rmqEvent } from '../../setup/rmq';

/** The rows are deleted with the user: `on delete cascade`, from their user or their session. */
const GOES = [
  'users',
  'passwords',
  'factors',
  'recovery_codes',
  'factor_challenges',
  'passkeys',
  'passkey_challenges',
  'mailed_codes',
  'sessions',
  'refresh_tokens',
  'sign_in_codes',
  'email_tokens',
  'former_emails',
  'welcomed_users',
  'export_cases',
  'export_receipts',
];

/** Nothing in these is about a person. */
const NOBODY = [
  'roles',
  'user_imports',
  'analytics_hourly',
  'webhook_endpoints',
  'event_log_start',
  'task_runs',
  'kysely_migration',
  'kysely_migration_lock',
  'publications',
  'inbox',
  'suspected_events',
  // Keyed hashes, which nobody can turn back, for a day at most.
  'rate_limits',
  // Its contacts are mailboxes of services.
  'data_holders',
  'erasure_receipts',
];

/**
 * - `id`: an id, a time, a number, or a name of Rollcall's; it does not say who it was
 * - `blanked`: what is personal in it is taken out
 * - `expires`: stays until AUDIT_ADDRESS_DAYS are over, for the security of others
 */
type Fate = 'id' | 'blanked' | 'expires';

const STAYS: Record<string, Record<string, Fate>> = {
  events: {
    ...ids('id', 'position', 'type', 'subject', 'sequence', 'time', 'traceparent', 'actor_id', 'request_id'),
    ...ids('created_at', 'published_at', 'attempts'),
    data: 'blanked',
    address: 'blanked',
    user_agent: 'blanked',
  },
  dispatch: {
    ...ids('position', 'event_id', 'queue', 'replay_id', 'subject', 'created_at', 'due_at', 'claimed_until'),
    ...ids('attempts'),
    event: 'blanked',
    last_error: 'blanked',
  },
  event_history: {
    ...ids('event_id', 'id', 'at', 'kind', 'consumer', 'attempt', 'due_at', 'detail'),
    error: 'blanked',
  },
  dead_letters: {
    ...ids('id', 'fingerprint', 'queue', 'message_id', 'subject', 'attempts', 'failed_at', 'event_id'),
    event: 'blanked',
    body: 'blanked',
    error: 'blanked',
  },
  webhook_deliveries: {
    ...ids('endpoint_id', 'event_id', 'type', 'status', 'attempts', 'attempts_before_schedule'),
    ...ids('next_attempt_at', 'claimed_until', 'created_at', 'finished_at'),
    attempt_log: 'blanked',
  },
  audit_log: {
    ...ids('event_id', 'type', 'subject', 'time', 'actor_id', 'request_id', 'details'),
    address: 'expires',
    user_agent: 'expires',
  },
  idempotency_keys: ids('key', 'fingerprint', 'user_id', 'expires_at'),
  replays: {
    ...ids('id', 'queue', 'from_time', 'to_time', 'types', 'subject', 'recount', 'requested_at', 'position'),
    ...ids('end_position', 'dispatched', 'sent', 'finished_at'),
  },
  retrying_events: ids('consumer', 'event_id', 'subject', 'sequence', 'due_at'),
  consumer_sequences: ids('consumer', 'subject', 'sequence'),
  erasure_cases: {
    ...ids('id', 'user_id', 'event_id', 'sequence', 'requested_by', 'opened_at', 'completed_at'),
    // A keyed hash.
    ...ids('address_hash'),
  },
};

function ids(...columns: string[]): Record<string, Fate> {
  return Object.fromEntries(columns.map((column) => [column, 'id']));
}

let ctx: TestContext;
beforeAll(async () => {
  ctx = await testContext();
});
afterAll(() => ctx.close());

test('every table, and every column of those that outlive a user, has a line', async () => {
  const { rows } = await sql<{ table: string; columns: string[] }>`
    select table_name::text as table, array_agg(column_name::text order by column_name) as columns
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' group by table_name order by 1`.execute(
    ctx.db,
  );
  const known = [...GOES, ...NOBODY, ...Object.keys(STAYS)].sort();
  expect(rows.map(({ table }) => table)).toEqual(known);
  for (const { table, columns } of rows)
    if (STAYS[table]) expect([table, columns]).toEqual([table, Object.keys(STAYS[table]).sort()]);
});

test('what is said to go with the user references them with a cascade', async () => {
  const { rows } = await sql<{ table: string }>`
    with recursive goes as (
      select 'users'::regclass as id
      union
      select conrelid::regclass from pg_constraint join goes on confrelid = goes.id
      where contype = 'f' and confdeltype = 'c'
    ) select id::text as table from goes order by 1`.execute(ctx.db);
  expect(rows.map(({ table }) => table)).toEqual([...GOES].sort());
});

/** Something of the person that no column may have afterwards. */
const MARK = `zq${randomBytes(6).toString('hex')}`;

const lettersOf = (events: object[]) => {
  const batch = rmqEvent(events as UserEvent[]);
  for (const message of Object.values(batch.rmqMessagesByQueue).flat())
    message.basicProperties.headers = {
      [QUEUE_HEADER]: queueOf(ctx.config.events, 'audit'),
      [ERROR_HEADER]: `cannot handle ${MARK}`,
    };
  return batch;
};

const holding = async () => {
  const { rows } = await sql<{ table: string }>`
    select table_name::text as table from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(ctx.db);
  const found: string[] = [];
  for (const { table } of rows) {
    const held = await sql`
      select from ${sql.table(table)} as held
      where held::text ilike ${`%${MARK}%`} or held::text like ${`%${Buffer.from(MARK).toString('hex')}%`}
      limit 1`.execute(ctx.db);
    if (held.rows.length > 0) found.push(table);
  }
  return found.sort();
};

/** Leaves traces of the person wherever one can be. */
async function leaveTraces(person: Person, admin: Person): Promise<UserEvent[]> {
  const body = {
    displayName: `Zed ${MARK}`,
    metadata: { note: MARK },
    email: `new.${MARK}@example.com`,
    currentPassword: PASSWORD,
  };
  const headers = { 'user-agent': MARK };
  const { status } = await call(updateUser, ctx, {
    method: 'PUT',
    params: { id: 'me' },
    body,
    headers,
    token: person.accessToken,
  });
  expect(status).toBe(200);
  for (const password of [PASSWORD, MARK])
    await call(login, ctx, { method: 'POST', body: { username: person.user.username, password } });
  const { body: webhook } = await call(createWebhook, ctx, {
    method: 'POST',
    body: { url: 'https://crm.example.com/', eventTypes: ['*'] },
    token: admin.accessToken,
  });
  const events = (await readEvents(ctx)).filter(({ subject }) => subject === person.user.id);
  const [first] = events;
  if (!first) throw new Error('No event');
  const attempt = {
    attempt: 1,
    startedAt: first.time,
    durationMs: 1,
    responseStatus: 500,
    response: MARK,
    error: null,
  };
  await ctx.db
    .insertInto('webhook_deliveries')
    .values({
      endpoint_id: webhook.id,
      event_id: first.id,
      type: first.type,
      attempt_log: JSON.stringify([attempt]),
    })
    .execute();
  await ctx.db.transaction().execute((tx) => recordHistory(tx, first.id, { kind: 'failed', error: MARK }));
  await ctx.db
    .insertInto('dispatch')
    .values({
      queue: queueOf(ctx.config.events, 'audit'),
      event_id: first.id,
      subject: person.user.id,
      event: JSON.stringify(first),
      last_error: MARK,
    })
    .execute();
  await takeInDeadLetters(ctx, lettersOf([...events, { subject: person.user.id, data: MARK }]));
  return events;
}

test('nothing of an erased user is left in any column, nor comes back by what was under way', async () => {
  const admin = await logInAdmin(ctx);
  await holder(ctx, admin, 'crm');
  const person = await registerPerson(ctx, { username: MARK, email: `${MARK}@example.com` });
  const events = await leaveTraces(person, admin);
  expect(await holding()).toEqual([
    'dead_letters',
    'dispatch',
    'event_history',
    'events',
    'users',
    'webhook_deliveries',
  ]);
  const { id } = await erase(ctx, person);
  expect(await holding()).toEqual([]);
  // Copies that were on their way to become dead letters.
  await takeInDeadLetters(
    ctx,
    lettersOf([
      ...events.map((event) => ({ ...event, late: true })),
      { subject: person.user.id, data: MARK, late: true },
    ]),
  );
  expect(await holding()).toEqual([]);
  const text = JSON.stringify(await readEvents(ctx));
  expect(text).not.toContain(MARK);
  expect(text).toContain(id);
});
