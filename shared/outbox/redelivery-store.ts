import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { EventType, UserEvent } from '../events/catalog';
import { holdLog } from './log-start-store';
import { CLAIM_LEASE_SECONDS, type ClaimedEvent, type EventRow, type FailedEvent, toEvent } from './outbox';

/** One number for "a relay is claiming redeliveries" in the space of PostgreSQL's advisory locks. */
const CLAIM_LOCK = 7_655_422;

export interface ReplayFilter {
  queue: string;
  /** Of the events' own times. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
  types?: EventType[] | undefined;
  subject?: string | undefined;
}

/** Has past events sent to one queue again, in their order, as the outbox has them then. @returns how many */
export async function replayEvents(tx: Tx, filter: ReplayFilter): Promise<number> {
  // A purge beside this would not see that these events are about to be sent, and take them.
  await holdLog(tx);
  const { queue, from = null, to = null, types = null, subject = null } = filter;
  const { numAffectedRows } = await sql`
    insert into redeliveries (queue, event_id, subject)
    select ${queue}, id, subject from outbox
    -- What was never sent is on its way there already.
    where published_at is not null
    and (${from}::timestamptz is null or time >= ${from}::timestamptz)
    and (${to}::timestamptz is null or time < ${to}::timestamptz)
    and (${types}::text[] is null or type = any(${types}::text[]))
    and (${subject}::uuid is null or subject = ${subject}::uuid)
    order by position`.execute(tx);
  return Number(numAffectedRows ?? 0);
}

/** As `claimEvents`; the order is that of each user's events to each queue. */
export async function claimRedeliveries(db: Db, limit: number): Promise<ClaimedEvent[]> {
  // Nearly always nothing: no transaction for that, and no lock.
  const { rows: waiting } = await sql`select from redeliveries limit 1`.execute(db);
  if (waiting.length === 0) return [];
  const claimed = await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${CLAIM_LOCK})`.execute(tx);
    const { rows } = await sql<RedeliveryRow>`
      with due as materialized (
        select position, subject, queue from redeliveries
        where available_at <= now()
        order by available_at, position
        limit ${limit}
      ), claimed as (
        update redeliveries set available_at = now() + ${CLAIM_LEASE_SECONDS} * interval '1 second'
        from due
        where redeliveries.position = due.position and not exists (
          select from redeliveries older
          where older.subject = due.subject and older.queue = due.queue and older.position < due.position
          and older.position not in (select position from due))
        returning redeliveries.position, redeliveries.queue, redeliveries.event_id, redeliveries.event,
          redeliveries.attempts
      )
      select claimed.position, claimed.queue, claimed.event, claimed.attempts,
        outbox.id, outbox.type, outbox.subject, outbox.sequence, outbox.time, outbox.data, outbox.traceparent
      from claimed left join outbox on outbox.id = claimed.event_id`.execute(tx);
    // What the log no longer has cannot be sent, and must not keep the rest of its batch from being sent.
    const orphans = rows.filter((row) => eventOf(row) === null);
    await deleteRedeliveries(
      tx,
      orphans.map((row) => row.position),
    );
    return rows;
  });
  return claimed
    .sort((a, b) => Number(a.position) - Number(b.position))
    .flatMap((row) => {
      const event = eventOf(row);
      return event ? [{ id: row.position, queue: row.queue, event, attempts: row.attempts }] : [];
    });
}

/** Takes away what the broker has confirmed. */
export async function deleteRedeliveries(db: Db, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`delete from redeliveries where position = any(${ids}::bigint[])`.execute(db);
}

/** Puts them back, each with its delay, and holds back with it what the same user is to get in the same queue. */
export async function putBackRedeliveries(db: Db, failed: FailedEvent[]): Promise<void> {
  if (failed.length === 0) return;
  await sql`
    update redeliveries set
      available_at = now() + failed.delay_ms * interval '1 millisecond',
      attempts = attempts + case when redeliveries.position = failed.position then failed.attempt else 0 end,
      last_error = case when redeliveries.position = failed.position then failed.error else last_error end
    from unnest(
      ${failed.map((item) => item.id)}::bigint[], ${failed.map((item) => item.subject)}::uuid[],
      ${failed.map((item) => item.queue)}::text[], ${failed.map((item) => item.delayMs)}::int[],
      ${failed.map((item) => item.attempt)}::int[], ${failed.map((item) => item.error)}::text[]
    ) as failed (position, subject, queue, delay_ms, attempt, error)
    where redeliveries.subject = failed.subject and redeliveries.queue = failed.queue`.execute(db);
}

type RedeliveryRow = {
  position: string;
  queue: string;
  /** An event of its own, where it is not the one of the outbox. */
  event: UserEvent | null;
  attempts: number;
  // Of the outbox, which may have it no longer.
} & (EventRow | { id: null });

function eventOf(row: RedeliveryRow): UserEvent | null {
  if (row.event) return row.event;
  return row.id === null ? null : toEvent(row);
}
