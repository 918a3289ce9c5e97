import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { EventType } from '../events/catalog';
import { dispatchToQueue } from './dispatch-store';
import { holdLog } from './log-start-store';

export interface ReplayFilter {
  queue: string;
  /** Of the events' own times. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
  types?: EventType[] | undefined;
  subject?: string | undefined;
}

export interface Replay {
  id: string;
  queue: string;
  from: string | null;
  to: string | null;
  types: string[] | null;
  subject: string | null;
  status: 'running' | 'finished';
  /** How many events have been put into `dispatch` so far. */
  dispatched: number;
  /** How many of them the broker has confirmed. */
  sent: number;
  /** How many will have been dispatched in the end; an upper bound while the log has not been read to its end. */
  total: number;
  totalIsExact: boolean;
  requestedAt: string;
  finishedAt: string | null;
}

/**
 * Asks for past events to be sent to one queue again: all that the log holds now, as it has them when they are sent.
 * @param recount whether the consumer is to handle them as if it had not before
 */
export async function insertReplay(
  tx: Tx,
  id: string,
  { queue, from, to, types, subject }: ReplayFilter,
  recount = false,
): Promise<void> {
  // A purge beside this would not see it, and take what it needs.
  await holdLog(tx);
  await sql`
    insert into replays (id, queue, from_time, to_time, types, subject, recount, position, end_position, finished_at)
    select ${id}, ${queue}, ${from ?? null}, ${to ?? null}, ${types ?? null}, ${subject ?? null}, ${recount},
      coalesce(min(position) - 1, 0), coalesce(max(position), 0), case when count(position) = 0 then now() end
    from (
      (select position from events order by position limit 1)
      union all
      (select position from events order by position desc limit 1)
    ) as ends`.execute(tx);
}

/** Newest first. @param before the id of the last replay of the page before */
export async function listReplays(db: Db, limit: number, before?: string): Promise<Replay[]> {
  let query = db.selectFrom('replays').selectAll().orderBy('id', 'desc').limit(limit);
  if (before !== undefined) query = query.where('id', '<', before);
  return (await query.execute()).map(toReplay);
}

export async function findReplay(db: Db, id: string): Promise<Replay | null> {
  const row = await db.selectFrom('replays').selectAll().where('id', '=', id).executeTakeFirst();
  return row ? toReplay(row) : null;
}

/** A replay of which a step is being taken. Nobody else takes one until the transaction ends. */
export interface ReplayStep {
  id: string;
  subject: string | null;
  recount: boolean;
  /** How many of its events are still in `dispatch`. */
  underWay: number;
}

/** Whether a replay has not read the log to its end. Costs less than locking one, and nearly always there is none. */
export async function isReplayRunning(db: Db): Promise<boolean> {
  const { rows } = await sql`
    select from replays where finished_at is null and position < end_position limit 1`.execute(db);
  return rows.length > 0;
}

/** @returns the oldest of those that have not read the log to its end, and have the fewest events in `dispatch` */
export async function lockNextReplay(tx: Tx): Promise<ReplayStep | null> {
  const { rows } = await sql<{ id: string; subject: string | null; recount: boolean; under_way: string }>`
    select id, subject, recount, dispatched - sent as under_way from replays
    where finished_at is null and position < end_position
    order by dispatched - sent, id limit 1 for update skip locked`.execute(tx);
  const [row] = rows;
  if (!row) return null;
  return { id: row.id, subject: row.subject, recount: row.recount, underWay: Number(row.under_way) };
}

/** The ids of the events that the next step of a replay is about, also of those that are unsent. */
export async function eventsOfStep(tx: Tx, step: ReplayStep, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with ${lookedAt(step, limit)} select id from matching`.execute(tx);
  return rows.map((row) => row.id);
}

/**
 * Puts the events of a step into `dispatch`, in the order of the log, and notes how far it has come: both or neither.
 * @param limit how many events of the log it looks at
 */
export async function dispatchStep(tx: Tx, step: ReplayStep, limit: number): Promise<void> {
  const { id } = step;
  await sql`
    with ${lookedAt(step, limit)}, inserted as (
      ${dispatchToQueue(sql`
        select queue, id as event_id, subject, ${id}::uuid as replay_id, null::jsonb as event from matching
        -- What is unsent is on its way there already. What is being sent may have arrived before this step.
        where not exists (
          select from dispatch where dispatch.event_id = matching.id and dispatch.queue is null
          and due_at <= now() and (claimed_until is null or claimed_until <= now()) offset 0)
        order by position`)}
      returning 1
    ), step as (
      select (select count(*) from inserted) as inserted,
        case when count(*) = ${limit} then max(position) end as position
      from looked_at
    )
    update replays set
      position = coalesce(step.position, end_position),
      dispatched = dispatched + step.inserted,
      finished_at = case
        when coalesce(step.position, end_position) = end_position and dispatched + step.inserted = sent then now() end
    from step where replays.id = ${id}`.execute(tx);
}

/** Finished before then. @returns how many */
export async function purgeReplays(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from replays where id in (
      select id from replays where finished_at < ${before} order by id limit ${limit})`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** The next part of the log, as `looked_at`, and what the filter leaves of it, as `matching`. */
function lookedAt({ id, subject }: ReplayStep, limit: number): RawBuilder<unknown> {
  // Only with a subject: `subject is null or …` would have the log searched for it without an index.
  const ofSubject = subject === null ? sql`` : sql`and events.subject = ${subject}`;
  return sql`
    replay as materialized (select * from replays where id = ${id}),
    looked_at as materialized (
      select events.id, events.subject, events.type, events.time, events.position
      from replay cross join lateral (
        select * from events
        where events.position > replay.position and events.position <= replay.end_position
        ${ofSubject}
        order by events.position limit ${limit}
      ) as events
    ),
    matching as (
      select looked_at.*, replay.queue from looked_at cross join replay
      where (from_time is null or time >= from_time) and (to_time is null or time < to_time)
      and (types is null or type = any(types))
    )`;
}

interface Row {
  id: string;
  queue: string;
  from_time: Date | null;
  to_time: Date | null;
  types: string[] | null;
  subject: string | null;
  requested_at: Date;
  position: string;
  end_position: string;
  dispatched: string;
  sent: string;
  finished_at: Date | null;
}

function toReplay(row: Row): Replay {
  const left = Number(row.end_position) - Number(row.position);
  return {
    id: row.id,
    queue: row.queue,
    from: row.from_time?.toISOString() ?? null,
    to: row.to_time?.toISOString() ?? null,
    types: row.types,
    subject: row.subject,
    status: row.finished_at ? 'finished' : 'running',
    dispatched: Number(row.dispatched),
    sent: Number(row.sent),
    total: Number(row.dispatched) + left,
    totalIsExact: left === 0,
    requestedAt: row.requested_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
