// The statements of the code before migration 0022, word for word: what still runs while it is being replaced.
import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import type { Db, Tx } from '../../shared/db/connection';
import type { EventType, UserEvent } from '../../shared/events/catalog';
import { type EventRow, toEvent } from '../../shared/outbox/event-store';

const LEASE_SECONDS = 60;

export interface OldEvent {
  id: string;
  type: EventType;
  subject: string;
  sequence: string;
  data: object;
}

/** @param inlineMs 0: for the relay at once. @returns whether the function itself may publish it now */
export async function append(
  tx: Tx,
  { id, type, subject, sequence, data }: OldEvent,
  inlineMs = 0,
): Promise<boolean> {
  const { rows } = await sql<{ id: string; older_unsent: boolean }>`
    insert into outbox (id, type, subject, sequence, time, data, traceparent,
      actor_id, address, user_agent, request_id, available_at)
    select new.id, new.type, new.subject, new.sequence, ${new Date()}, new.data, new.traceparent,
      new.actor_id, new.address, new.user_agent, new.request_id,
      greatest(now() + ${inlineMs} * interval '1 millisecond', (
        select max(older.available_at) from outbox older
        where older.subject = new.subject and older.published_at is null))
    from unnest(
      ${[id]}::uuid[], ${[type]}::text[], ${[subject]}::uuid[], ${[sequence]}::text[],
      ${[JSON.stringify(data)]}::jsonb[], ${[null]}::text[],
      ${[subject]}::uuid[], ${['192.0.2.1']}::text[], ${['a browser']}::text[], ${[null]}::text[]
    ) with ordinality as new (id, type, subject, sequence, data, traceparent,
      actor_id, address, user_agent, request_id, ordinal)
    order by new.ordinal
    returning outbox.id, exists (
      select from outbox older
      where older.subject = outbox.subject and older.position < outbox.position
      and older.published_at is null
      and not (older.xmin = pg_current_xact_id()::xid and older.available_at > now())) as older_unsent`.execute(
    tx,
  );
  return rows[0]?.older_unsent === false;
}

export async function withdraw(tx: Tx, id: string): Promise<void> {
  await sql`delete from outbox where id = ${id} and xmin = pg_current_xact_id()::xid`.execute(tx);
}

export async function claim(db: Db, limit: number): Promise<UserEvent[]> {
  const claimed = await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(7655421)`.execute(tx);
    return sql<EventRow & { position: string }>`
      with due as materialized (
        select id, subject, position from outbox
        where published_at is null and available_at <= now()
        order by available_at, position
        limit ${limit}
      )
      update outbox set available_at = now() + ${LEASE_SECONDS} * interval '1 second'
      from due
      where outbox.id = due.id and outbox.published_at is null and not exists (
        select from outbox older
        where older.subject = due.subject and older.position < due.position and older.published_at is null
        and older.id not in (select id from due))
      returning outbox.id, outbox.type, outbox.subject, outbox.sequence, outbox.time, outbox.data,
        outbox.traceparent, outbox.position, outbox.attempts`.execute(tx);
  });
  return claimed.rows.sort((a, b) => Number(a.position) - Number(b.position)).map(toEvent);
}

export async function markPublished(db: Db, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    update outbox set published_at = now(), attempts = attempts + 1, last_error = null
    from (select set_config('synchronous_commit', 'off', true)) as for_this_transaction
    where id = any(${ids}::uuid[]) and published_at is null`.execute(db);
}

export async function releaseHeld(db: Db, sent: string[]): Promise<void> {
  if (sent.length === 0) return;
  await sql`
    update outbox set available_at = now()
    from (
      select distinct subject from outbox where id = any(${sent}::uuid[])
    ) as subjects
    where outbox.subject = subjects.subject and published_at is null and available_at > now()`.execute(db);
}

export async function putBack(db: Db, { id, subject }: UserEvent, delayMs: number): Promise<void> {
  await sql`
    update outbox set
      available_at = now() + failed.delay_ms * interval '1 millisecond',
      attempts = attempts + case when outbox.id = failed.id then failed.attempt else 0 end,
      last_error = case when outbox.id = failed.id then failed.error else last_error end
    from unnest(
      ${[id]}::uuid[], ${[subject]}::uuid[], ${[delayMs]}::int[], ${[1]}::int[], ${['refused']}::text[]
    ) as failed (id, subject, delay_ms, attempt, error)
    where outbox.subject = failed.subject and outbox.published_at is null`.execute(db);
}

export async function countBacklog(db: Db): Promise<number> {
  const { rows } = await sql<{ pending: string }>`
    select count(*) as pending, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
    from (
      select created_at from outbox where published_at is null order by available_at, position limit 10000
    ) as due_first`.execute(db);
  return Number(rows[0]?.pending);
}

export async function replay(db: Db, queue: string, subject: string | null = null): Promise<number> {
  return db.transaction().execute(async (tx) => {
    await sql`select from event_log_start for share`.execute(tx);
    const { numAffectedRows } = await sql`
      insert into redeliveries (queue, event_id, subject)
      select ${queue}, id, subject from outbox
      where published_at is not null
      and (${subject}::uuid is null or subject = ${subject}::uuid)
      order by position`.execute(tx);
    return Number(numAffectedRows);
  });
}

export async function redrive(db: Db, queue: string): Promise<number> {
  const { numAffectedRows } = await sql`
    with moved as (
      delete from dead_letters where queue = ${queue} and event is not null
      returning queue, event, subject, id
    )
    insert into redeliveries (queue, event_id, subject, event)
    select queue, (event ->> 'id')::uuid, subject, event from moved
    order by event ->> 'sequence', id`.execute(db);
  return Number(numAffectedRows);
}

export interface OldRedelivery {
  position: string;
  queue: string;
  event: UserEvent;
}

export async function claimRedeliveries(db: Db, limit: number): Promise<OldRedelivery[]> {
  const claimed = await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(7655422)`.execute(tx);
    const { rows } = await sql<EventRow & { position: string; queue: string; event: UserEvent | null }>`
      with due as materialized (
        select position, subject, queue from redeliveries
        where available_at <= now()
        order by available_at, position
        limit ${limit}
      ), claimed as (
        update redeliveries set available_at = now() + ${LEASE_SECONDS} * interval '1 second'
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
    return rows;
  });
  return claimed
    .sort((a, b) => Number(a.position) - Number(b.position))
    .map((row) => ({ position: row.position, queue: row.queue, event: row.event ?? toEvent(row) }));
}

export async function deleteRedeliveries(db: Db, positions: string[]): Promise<void> {
  if (positions.length === 0) return;
  await sql`delete from redeliveries where position = any(${positions}::bigint[])`.execute(db);
}

export async function putBackRedelivery(db: Db, { position, queue, event }: OldRedelivery): Promise<void> {
  await sql`
    update redeliveries set
      available_at = now() + failed.delay_ms * interval '1 millisecond',
      attempts = attempts + case when redeliveries.position = failed.position then failed.attempt else 0 end,
      last_error = case when redeliveries.position = failed.position then failed.error else last_error end
    from unnest(
      ${[position]}::bigint[], ${[event.subject]}::uuid[], ${[queue]}::text[], ${[0]}::int[], ${[1]}::int[],
      ${['refused']}::text[]
    ) as failed (position, subject, queue, delay_ms, attempt, error)
    where redeliveries.subject = failed.subject and redeliveries.queue = failed.queue`.execute(db);
}

export async function purge(db: Db, before: Date, limit: number): Promise<number> {
  const hex = before.getTime().toString(16).padStart(12, '0');
  const firstId = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
  return db.transaction().execute(async (tx) => {
    await sql`select from event_log_start for update`.execute(tx);
    const { rows } = await sql`
      delete from outbox where id in (
        select id from outbox
        where id < ${firstId} and published_at < ${before}
        and not exists (select from redeliveries where redeliveries.event_id = outbox.id)
        order by id limit ${limit} for update skip locked)
      returning time`.execute(tx);
    return rows.length;
  });
}

/** Of a deletion: what it makes of the user's own events, of their acts on others, and of copies. */
export async function erase(tx: Tx, userId: string): Promise<void> {
  await sql`
    with own as materialized (
      select id from outbox where subject = ${userId} order by id for update
    )
    update outbox set
      data = case type when 'user.created' then data || jsonb_build_object('username',
        replace(subject::text, '-', ''), 'email', null) else data end,
      address = case when actor_id is null or actor_id = subject then null else address end,
      user_agent = case when actor_id is null or actor_id = subject then null else user_agent end
    from own where outbox.id = own.id`.execute(tx);
  await sql`
    update outbox set address = null, user_agent = null
    where actor_id = ${userId} and actor_id <> subject`.execute(tx);
  await sql`
    update redeliveries as copy set event = copy.event || jsonb_build_object('data', erased.data)
    from (
      select position, '{"erased": true}'::jsonb as data from redeliveries
      where subject = ${userId} and event is not null
    ) as erased
    where copy.position = erased.position`.execute(tx);
}

/** An event as a change of that version makes it: the first of a user creates them. */
export function oldEvent(subject: string, version: number): OldEvent {
  const created = {
    id: subject,
    username: `user-${subject}`,
    email: null,
    role: 'user',
    createdAt: '2026-11-20T10:00:00.000Z',
  };
  return {
    id: uuidv7(),
    type: version === 1 ? 'user.created' : 'user.email_verified',
    subject,
    sequence: String(version).padStart(10, '0'),
    data: version === 1 ? created : { id: subject },
  };
}
