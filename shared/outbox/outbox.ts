import { sql } from 'kysely';
import * as v from 'valibot';
import type { Context } from '../context/context';
import type { Db, Tx } from '../db/connection';
import { EVENT_DATA, type EventData, type EventType, type UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';

/** How long a relay that died keeps its claimed rows from the others. */
export const CLAIM_LEASE_SECONDS = 60;
/** How many times the inline deadline a row belongs to the function that wrote it, before the relay may take it. */
const INLINE_WINDOW_FACTOR = 2;
/** One number for "a relay is claiming" in the space of PostgreSQL's advisory locks. */
const CLAIM_LOCK = 7_655_421;

export interface NewEvent<T extends EventType> {
  type: T;
  subject: string;
  sequence: string;
  data: EventData<T>;
  origin: Origin;
}

export interface PendingEvent {
  event: UserEvent;
  /** False where an older change's event of the same user is still unsent: then only the relay may send this one. */
  mayPublishNow: boolean;
}

/** An event that a relay has taken on. */
export interface ClaimedEvent {
  /** Of what was claimed: the outbox row, or the redelivery. */
  id: string;
  event: UserEvent;
  /** The one queue that it goes to; null: it is published to everyone. */
  queue: string | null;
  attempts: number;
}

/**
 * Adds an event to the caller's transaction: it exists if and only if the change commits. The caller holds a lock
 * on the user (or has just inserted it), so that one user's events are numbered in the order of their commits.
 * @param sender `inline`: the caller publishes it after the commit, and the relay keeps out of the way that long
 */
export async function appendEvent<T extends EventType>(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  event: NewEvent<T>,
): Promise<PendingEvent> {
  const [pending] = await appendEvents(tx, ctx, sender, [event]);
  if (!pending) throw new Error('The outbox did not take the event');
  return pending;
}

/** Adds events of different users, at most a thousand or so, in one statement. The same holds for each of them. */
export async function appendEvents<T extends EventType>(
  tx: Tx,
  ctx: Context,
  sender: 'inline' | 'relay',
  events: NewEvent<T>[],
): Promise<PendingEvent[]> {
  if (events.length === 0) return [];
  const inlineMs = sender === 'inline' ? ctx.config.events.publishDeadlineMs * INLINE_WINDOW_FACTOR : 0;
  const time = ctx.now();
  const added = events.map(({ type, subject, sequence, data, origin }) => ({
    row: { id: ctx.newId(), type, subject, sequence, time, traceparent: origin.traceparent },
    data: v.parse(EVENT_DATA[type], data) as EventData<T>,
    origin,
  }));
  const column = <C>(read: (item: (typeof added)[number]) => C) => added.map(read);
  // The columns as arrays: one row or a thousand, PostgreSQL plans the same short statement.
  const { rows } = await sql<{ id: string; older_unsent: boolean }>`
    insert into outbox (id, type, subject, sequence, time, data, traceparent,
      actor_id, address, user_agent, request_id, available_at)
    select new.id, new.type, new.subject, new.sequence, ${time}, new.data, new.traceparent,
      new.actor_id, new.address, new.user_agent, new.request_id,
      -- The database's clock, which all containers share. Never before an older event of the same user.
      greatest(now() + ${inlineMs} * interval '1 millisecond', (
        select max(older.available_at) from outbox older
        where older.subject = new.subject and older.published_at is null))
    from unnest(
      ${column(({ row }) => row.id)}::uuid[], ${column(({ row }) => row.type)}::text[],
      ${column(({ row }) => row.subject)}::uuid[], ${column(({ row }) => row.sequence)}::text[],
      ${column(({ data }) => JSON.stringify(data))}::jsonb[], ${column(({ row }) => row.traceparent)}::text[],
      ${column(({ origin }) => origin.actorId)}::uuid[], ${column(({ origin }) => origin.address)}::text[],
      ${column(({ origin }) => origin.userAgent)}::text[], ${column(({ origin }) => origin.requestId)}::text[]
    ) with ordinality as new (id, type, subject, sequence, data, traceparent,
      actor_id, address, user_agent, request_id, ordinal)
    order by new.ordinal
    returning outbox.id, exists (
      select from outbox older
      where older.subject = outbox.subject and older.position < outbox.position
      and older.published_at is null
      -- The caller sends those of this transaction that are inline, which have their window, before this one.
      and not (older.xmin = pg_current_xact_id()::xid and older.available_at > now())) as older_unsent`.execute(
    tx,
  );
  const held = new Set(rows.filter((row) => row.older_unsent).map((row) => row.id));
  return added.map(({ row, data }) => ({
    event: toEvent({ ...row, data }),
    mayPublishNow: sender === 'inline' && !held.has(row.id),
  }));
}

/** Takes back what the same transaction appended. After its commit an event is a fact, and stays. */
export async function withdrawEvent(tx: Tx, id: string): Promise<void> {
  await tx
    .deleteFrom('outbox')
    .where('id', '=', id)
    .where(sql<boolean>`xmin = pg_current_xact_id()::xid`)
    .execute();
}

/**
 * Takes the next unsent events for this relay, one user's events in order, and no event whose user has an older
 * unsent one elsewhere. No transaction stays open: the claim is a lease, and runs out if the relay dies.
 */
export async function claimEvents(db: Db, limit: number): Promise<ClaimedEvent[]> {
  const claimed = await db.transaction().execute(async (tx) => {
    // One claim at a time. Two side by side would each overlook the other's uncommitted lease, and could send
    // two events of one user at the same time. A statement of its own: the next one then sees the last commit.
    await sql`select pg_advisory_xact_lock(${CLAIM_LOCK})`.execute(tx);
    return sql<EventRow & { position: string; attempts: number }>`
      with due as materialized (
        select id, subject, position from outbox
        where published_at is null and available_at <= now()
        order by available_at, position
        limit ${limit}
      )
      update outbox set available_at = now() + ${CLAIM_LEASE_SECONDS} * interval '1 second'
      from due
      where outbox.id = due.id and outbox.published_at is null and not exists (
        select from outbox older
        where older.subject = due.subject and older.position < due.position and older.published_at is null
        and older.id not in (select id from due))
      returning outbox.id, outbox.type, outbox.subject, outbox.sequence, outbox.time, outbox.data,
        outbox.traceparent, outbox.position, outbox.attempts`.execute(tx);
  });
  return claimed.rows
    .sort((a, b) => Number(a.position) - Number(b.position))
    .map((row) => ({ id: row.id, event: toEvent(row), queue: null, attempts: row.attempts }));
}

/**
 * Marks what the broker has confirmed. This one commit need not wait for the disk: a mark that a crash of the database
 * forgets has its event sent a second time, under the same id.
 */
export async function markPublished(db: Db, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update outbox set published_at = now(), attempts = attempts + 1, last_error = null
    from (select set_config('synchronous_commit', 'off', true)) as for_this_transaction
    where id = any(${ids}::uuid[]) and published_at is null`.execute(db);
}

/**
 * Makes due what was appended while an older event of its user was claimed: it was given the claim's end as its time.
 * @param sent the events of the claim that are published
 */
export async function releaseHeld(db: Db, sent: string[]): Promise<void> {
  if (sent.length === 0) return;
  await sql`
    update outbox set available_at = now()
    from (
      select distinct subject from outbox where id = any(${sent}::uuid[])
    ) as subjects
    where outbox.subject = subjects.subject and published_at is null and available_at > now()`.execute(db);
}

export interface FailedEvent {
  id: string;
  subject: string;
  queue: string | null;
  error: string;
  /** Until the next attempt. */
  delayMs: number;
  /** 1 where the broker refused this very event, 0 where the connection broke under it. */
  attempt: 0 | 1;
}

/** Puts events back, each with its delay, and holds the same user's later events back with it. */
export async function putBack(db: Db, failed: FailedEvent[]): Promise<void> {
  if (failed.length === 0) return;
  await sql`
    update outbox set
      available_at = now() + failed.delay_ms * interval '1 millisecond',
      attempts = attempts + case when outbox.id = failed.id then failed.attempt else 0 end,
      last_error = case when outbox.id = failed.id then failed.error else last_error end
    from unnest(
      ${failed.map((event) => event.id)}::uuid[], ${failed.map((event) => event.subject)}::uuid[],
      ${failed.map((event) => event.delayMs)}::int[], ${failed.map((event) => event.attempt)}::int[],
      ${failed.map((event) => event.error)}::text[]
    ) as failed (id, subject, delay_ms, attempt, error)
    where outbox.subject = failed.subject and outbox.published_at is null`.execute(db);
}

/** To count a backlog of millions takes seconds, and whoever looks at it needs to know only that it is large. */
export const BACKLOG_COUNTED = 10_000;

/**
 * What is waiting to be sent: how many, and since how many seconds the oldest. Of more than `BACKLOG_COUNTED` it looks
 * at as many as that, those that are due first.
 */
export async function outboxBacklog(db: Db): Promise<{ pending: number; oldestSeconds: number }> {
  const row = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('outbox')
        .select('created_at')
        .where('published_at', 'is', null)
        .orderBy('available_at')
        .orderBy('position')
        .limit(BACKLOG_COUNTED)
        .as('due_first'),
    )
    .select((eb) => [
      eb.fn.countAll<string>().as('pending'),
      sql<number>`coalesce(extract(epoch from now() - min(created_at)), 0)::float8`.as('oldest_seconds'),
    ])
    .executeTakeFirstOrThrow();
  return { pending: Number(row.pending), oldestSeconds: Math.max(0, Math.round(row.oldest_seconds)) };
}

export interface EventRow {
  id: string;
  type: EventType;
  subject: string;
  sequence: string;
  time: Date;
  data: EventData;
  traceparent: string | null;
}

export function toEvent(row: EventRow): UserEvent {
  return {
    specversion: '1.0',
    id: row.id,
    source: 'rollcall',
    type: row.type,
    subject: row.subject,
    time: row.time.toISOString(),
    datacontenttype: 'application/json',
    sequence: row.sequence,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    data: row.data,
  } as UserEvent;
}
