import { sql } from 'kysely';
import * as v from 'valibot';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { EVENT_DATA, type EventData, type EventType, type UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';

/** How many times the inline deadline an event belongs to the function that wrote it, before the relay may take it. */
const INLINE_WINDOW_FACTOR = 2;

export interface NewEvent<T extends EventType> {
  type: T;
  subject: string;
  sequence: string;
  data: EventData<T>;
  origin: Origin;
}

export interface PendingEvent {
  event: UserEvent;
  /** Of its row in `dispatch`. */
  position: string;
  /** False if only the relay may send it. */
  mayPublishNow: boolean;
  /** The position of the same user's last event that was still unsent then: it must be sent before this one. */
  after: string | null;
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
  if (!pending) throw new Error('The event was not stored');
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
  const { rows } = await sql<{ event_id: string; position: string; after: string | null }>`
    with appended as (
      insert into events (id, type, subject, sequence, time, data, traceparent,
        actor_id, address, user_agent, request_id)
      select new.id, new.type, new.subject, new.sequence, ${time}, new.data, new.traceparent,
        new.actor_id, new.address, new.user_agent, new.request_id
      from unnest(
        ${column(({ row }) => row.id)}::uuid[], ${column(({ row }) => row.type)}::text[],
        ${column(({ row }) => row.subject)}::uuid[], ${column(({ row }) => row.sequence)}::text[],
        ${column(({ data }) => JSON.stringify(data))}::jsonb[], ${column(({ row }) => row.traceparent)}::text[],
        ${column(({ origin }) => origin.actorId)}::uuid[], ${column(({ origin }) => origin.address)}::text[],
        ${column(({ origin }) => origin.userAgent)}::text[], ${column(({ origin }) => origin.requestId)}::text[]
      ) with ordinality as new (id, type, subject, sequence, data, traceparent,
        actor_id, address, user_agent, request_id, ordinal)
      order by new.ordinal
      returning id, subject, position
    )
    insert into dispatch (event_id, subject, due_at)
    select appended.id, appended.subject,
      -- The database's clock, which all containers share. Never before an older event of the same user.
      greatest(now() + ${inlineMs} * interval '1 millisecond', (
        select max(older.due_at) from dispatch older
        where older.subject = appended.subject and coalesce(older.queue, '') = ''))
    from appended order by appended.position
    returning dispatch.event_id, dispatch.position, (
      select max(older.position) from dispatch older
      where older.subject = dispatch.subject and coalesce(older.queue, '') = ''
      and older.position < dispatch.position
      -- The caller sends those of this transaction that are inline, which have their window, before this one. An event
      -- that only the relay may send can look like one of them, so callers pass it to the publisher as well, which holds
      -- the later ones.
      and not (older.xmin = pg_current_xact_id()::xid and older.due_at > now())) as after`.execute(tx);
  const stored = new Map(rows.map((row) => [row.event_id, row]));
  return added.map(({ row, data }) => {
    const { position, after } = stored.get(row.id) ?? missing(row.id);
    return {
      event: toEvent({ ...row, data }),
      position,
      mayPublishNow: sender === 'inline',
      after,
    };
  });
}

function missing(id: string): never {
  throw new Error(`The event ${id} was not stored`);
}

/** Deletes an event that the same transaction appended. Once committed, an event stays. */
export async function withdrawEvent(tx: Tx, id: string): Promise<void> {
  await sql`
    with withdrawn as (
      delete from events where id = ${id} and xmin = pg_current_xact_id()::xid returning id
    )
    delete from dispatch using withdrawn where dispatch.event_id = withdrawn.id`.execute(tx);
}

/** The address that an event's request came from; null if it is unknown, or erased. */
export async function findEventAddress(tx: Tx, eventId: string): Promise<string | null> {
  const row = await tx.selectFrom('events').select('address').where('id', '=', eventId).executeTakeFirst();
  return row?.address ?? null;
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
