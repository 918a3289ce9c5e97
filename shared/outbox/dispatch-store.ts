import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db/connection';
import { consumerOf } from '../event-history/history-store';
import type { UserEvent } from '../events/catalog';
import { type EventRow, toEvent } from './event-store';

/** How long the rows that a relay claimed are reserved for it, should it die. */
const CLAIM_LEASE_SECONDS = 60;
/** One number for "a relay is claiming" in the space of PostgreSQL's advisory locks. */
const CLAIM_LOCK = 7_655_421;
/** The same for redeliveries, in the code before migration 0022. */
const LEGACY_CLAIM_LOCK = 7_655_422;

/** An event that a relay has taken on. */
export interface ClaimedEvent {
  /** Of its row in `dispatch`. */
  position: string;
  event: UserEvent;
  /** The one queue that it goes to; null: it is published to everyone. */
  queue: string | null;
  attempts: number;
}

/** Where a claim ended, for the next one to start from. */
export interface ClaimCursor {
  /** As text: a `Date` would lose its microseconds. */
  dueAt: string;
  position: string;
}

export interface Claim {
  events: ClaimedEvent[];
  /** Null: nothing is due behind these. */
  next: ClaimCursor | null;
}

/**
 * Takes the next events for this relay, one user's events to everyone or to one queue in order, and none that has an
 * older one before it elsewhere. No transaction stays open: the claim is a lease, and runs out if the relay dies.
 * @param after what is due before it is left out, and so are the index entries of what was sent before it, which stay
 * until a vacuum: a claim that starts at the beginning reads all of them
 */
export async function claimEvents(db: Db, limit: number, after: ClaimCursor | null = null): Promise<Claim> {
  // Nearly always nothing: no transaction for that, and no lock.
  if (!after && !(await isAnythingDue(db))) return { events: [], next: null };
  const claimed = await db.transaction().execute(async (tx) => {
    // One claim at a time. Two side by side would each overlook the other's uncommitted lease, and could send
    // two events of one user at the same time. A statement of its own: the next one then sees the last commit.
    await sql`
      select pg_advisory_xact_lock(${CLAIM_LOCK}), pg_advisory_xact_lock(${LEGACY_CLAIM_LOCK})`.execute(tx);
    const { rows } = await sql<ClaimRow>`
      with due as materialized (
        select position, subject, coalesce(queue, '') as lane, due_at from dispatch
        where due_at <= now() and (claimed_until is null or claimed_until <= now())
        and ${after ? sql`(due_at, position) > (${after.dueAt}::timestamptz, ${after.position}::bigint)` : sql`true`}
        and not exists (
          select from dispatch older
          where older.subject = dispatch.subject and coalesce(older.queue, '') = coalesce(dispatch.queue, '')
          and older.position < dispatch.position and greatest(older.due_at, older.claimed_until) > now()
          ${PER_ROW})
        order by due_at, position
        limit ${limit}
      ), claimed as (
        update dispatch set claimed_until = now() + ${CLAIM_LEASE_SECONDS} * interval '1 second'
        from due
        where dispatch.position = due.position and not exists (
          -- Due as well, but later, or before where this claim starts.
          select from dispatch older
          where older.subject = due.subject and coalesce(older.queue, '') = due.lane
          and older.position < due.position and older.position not in (select position from due)
          ${PER_ROW})
        returning dispatch.position, dispatch.event_id, dispatch.queue, dispatch.event as own_event,
          dispatch.attempts, dispatch.due_at
      )
      select claimed.position, claimed.queue, claimed.own_event, claimed.attempts, claimed.due_at::text,
        events.id, events.type, events.subject, events.sequence, events.time, events.data, events.traceparent
      from claimed left join events on events.id = claimed.event_id
      order by claimed.due_at, claimed.position`.execute(tx);
    // An event that was purged from the log cannot be sent. It must not block the rest of its batch.
    const orphans = rows.filter((row) => eventOf(row) === null);
    await confirmSent(
      tx,
      orphans.map((row) => row.position),
    );
    return rows;
  });
  const last = claimed.length === limit ? claimed.at(-1) : undefined;
  return {
    events: claimed
      .flatMap((row) => {
        const event = eventOf(row);
        return event ? [{ position: row.position, queue: row.queue, event, attempts: row.attempts }] : [];
      })
      .sort((a, b) => Number(a.position) - Number(b.position)),
    next: last ? { dueAt: last.due_at, position: last.position } : null,
  };
}

async function isAnythingDue(db: Db): Promise<boolean> {
  const { rows } = await sql`
    select from dispatch where due_at <= now() order by due_at, position limit 1`.execute(db);
  return rows.length > 0;
}

/**
 * Keeps PostgreSQL from making a join of a condition that an index answers for each row: its plan would read all of
 * the table, and it takes that one where the table was empty when it last looked.
 */
const PER_ROW = sql`offset 0`;

/**
 * Deletes the rows that the broker has confirmed, marks the events among them that went to everyone as published, and
 * records in the history of the others that they were sent to their queue again. This
 * commit does not wait for the disk: an event whose mark a crash of the database loses is sent again, under the same id.
 * @param mayBeReplayed false if no replay sends them, which spares an inline publish the planning of the count
 */
export async function confirmSent(db: Db, positions: string[], mayBeReplayed = true): Promise<void> {
  if (positions.length === 0) return;
  const count = sql`
    update replays set sent = sent + gone_of.count,
      finished_at = case when position = end_position and sent + gone_of.count = dispatched then now() end
    from (select replay_id, count(*) from gone where replay_id is not null group by 1) as gone_of
    where replays.id = gone_of.replay_id`;
  const recorded = sql`, redelivered as (
      insert into event_history (event_id, kind, consumer, attempt, detail)
      select event_id, 'redelivered', ${consumerOf(sql`queue`)}, attempts + 1, jsonb_strip_nulls(jsonb_build_object(
        'reason', case when replay_id is null then 'redrive' else 'replay' end, 'replayId', replay_id))
      from gone where queue is not null
    )`;
  await sql`
    with gone as (
      delete from dispatch using (select set_config('synchronous_commit', 'off', true)) as for_this_transaction
      where position = any(${positions}::bigint[])
      returning event_id, queue, replay_id, attempts
    ), published as (
      insert into publications (event_id, attempts) select event_id, attempts + 1 from gone where queue is null
      on conflict (event_id) do update set published_at = excluded.published_at, attempts = excluded.attempts
    )
    ${mayBeReplayed ? sql`${recorded} ${count}` : sql`select`}`.execute(db);
}

export interface FailedEvent {
  position: string;
  subject: string;
  queue: string | null;
  error: string;
  /** Until the next attempt. */
  delayMs: number;
  /** 1 where the broker refused this very event, 0 where the connection broke under it. */
  attempt: 0 | 1;
}

/**
 * Returns events that were not sent, each with its delay. Later rows of the same user and queue wait with it. Records in
 * their history why: each refusal, and of a broken connection, which may break every second, only what is new.
 */
export async function putBack(db: Db, failed: FailedEvent[]): Promise<void> {
  if (failed.length === 0) return;
  await sql`
    with failed as materialized (
      select position, subject, lane, now() + delay_ms * interval '1 millisecond' as due_at, attempt, error
      from unnest(
        ${failed.map((item) => item.position)}::bigint[], ${failed.map((item) => item.subject)}::uuid[],
        ${failed.map((item) => item.queue ?? '')}::text[], ${failed.map((item) => item.delayMs)}::int[],
        ${failed.map((item) => item.attempt)}::int[], ${failed.map((item) => item.error)}::text[]
      ) as given (position, subject, lane, delay_ms, attempt, error)
    ), recorded as (
      insert into event_history (event_id, kind, consumer, attempt, error, due_at)
      select event_id, 'publish_failed', ${consumerOf(sql`queue`)}, attempts + 1, error, failed.due_at
      from failed join dispatch using (position)
      where attempt = 1 or last_error is distinct from error
    )
    update dispatch set
      due_at = failed.due_at,
      claimed_until = null,
      attempts = attempts + case when dispatch.position = failed.position then failed.attempt else 0 end,
      last_error = case when dispatch.position = failed.position then failed.error else last_error end
    from failed
    where dispatch.subject = failed.subject and coalesce(dispatch.queue, '') = failed.lane`.execute(db);
}

/**
 * Has events sent to one queue, after what their users are still to get there.
 * @param events rows of queue, event_id, subject, replay_id, event, in the order in which they are to be sent
 */
export function dispatchToQueue(events: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    insert into dispatch (queue, event_id, subject, replay_id, event, due_at)
    select queue, event_id, subject, replay_id, event, greatest(now(), (
      select max(due_at) from (
        select older.due_at from dispatch older
        where older.subject = again.subject and coalesce(older.queue, '') = again.queue
        -- Otherwise \`max\` may read all of the table by its times.
        ${PER_ROW}) as theirs))
    from (${events}) as again`;
}

/** Counting a backlog of millions takes seconds; it is enough to know that it is large. */
const BACKLOG_COUNTED = 10_000;

/**
 * How many events wait to be published, and for how many seconds the oldest has. It looks at no more than `BACKLOG_COUNTED`
 * of them, those that are due first.
 */
export async function countBacklog(db: Db): Promise<{ pending: number; oldestSeconds: number }> {
  const row = await db
    .selectFrom((eb) =>
      eb
        .selectFrom('dispatch')
        .select('created_at')
        .where('queue', 'is', null)
        .orderBy('due_at')
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

type ClaimRow = {
  position: string;
  queue: string | null;
  /** Where it is not the one of the log. */
  own_event: UserEvent | null;
  attempts: number;
  due_at: string;
  // Of the log, which may have it no longer.
} & (EventRow | { id: null });

function eventOf(row: ClaimRow): UserEvent | null {
  if (row.own_event) return row.own_event;
  return row.id === null ? null : toEvent(row);
}
