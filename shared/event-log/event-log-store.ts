import { type SqlBool, sql } from 'kysely';
import { CONSUMER_NAMES } from '../broker/topology';
import type { Db } from '../db/connection';
import { consumerOf } from '../event-history/history-store';
import type { EventData, EventType, UserEvent } from '../events/catalog';
import { idsAround } from '../events/event-id';
import { toEvent } from '../outbox/event-store';
import { type LoggedEvent, toLoggedEvent } from './logged-event';

export interface EventFilter {
  type?: string | undefined;
  subject?: string | undefined;
  /** `retrying`, `dead`: at a consumer at least. */
  status?: 'pending' | 'published' | 'retrying' | 'dead' | undefined;
  /** Of the events' own times. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
}

/** Newest first. @param before a position, like `from`, which is included */
export async function listNewest(
  db: Db,
  filter: EventFilter,
  { before, from }: { before: number | undefined; from: number | undefined },
  limit: number,
): Promise<LoggedEvent[]> {
  let query = matching(db, filter).orderBy('events.position', 'desc').limit(limit);
  if (before !== undefined) query = query.where('events.position', '<', String(before));
  if (from !== undefined) query = query.where('events.position', '>=', String(from));
  return (await query.execute()).map(toLoggedEvent);
}

/** Oldest first, between these positions, of which the last is included. */
export async function listOldest(
  db: Db,
  filter: EventFilter,
  { after, last }: { after: number; last: number },
  limit: number,
): Promise<LoggedEvent[]> {
  const rows = await matching(db, filter)
    .where('events.position', '>', String(after))
    .where('events.position', '<=', String(last))
    .orderBy('events.position')
    .limit(limit)
    .execute();
  return rows.map(toLoggedEvent);
}

/** @returns the position so many events before another, or before the end of the log; null if it has no more */
export async function positionBefore(
  db: Db,
  before: number | undefined,
  events: number,
): Promise<number | null> {
  let query = db.selectFrom('events').select('position').orderBy('position', 'desc').offset(events).limit(1);
  if (before !== undefined) query = query.where('position', '<', String(before));
  const row = await query.executeTakeFirst();
  return row ? Number(row.position) : null;
}

/** What the log knows of an event beside what the list shows. */
export interface FoundEvent {
  logged: LoggedEvent;
  /** As it is sent. */
  event: UserEvent;
  origin: {
    actorId: string | null;
    address: string | null;
    userAgent: string | null;
    requestId: string | null;
  };
}

export async function findLogged(db: Db, id: string): Promise<FoundEvent | null> {
  const row = await logged(db)
    .select([
      'events.traceparent',
      'events.actor_id',
      'events.address',
      'events.user_agent',
      'events.request_id',
    ])
    .where('events.id', '=', id)
    .executeTakeFirst();
  if (!row) return null;
  const { actor_id, address, user_agent, request_id } = row;
  const origin = { actorId: actor_id, address, userAgent: user_agent, requestId: request_id };
  const event = toEvent({ ...row, type: row.type as EventType, data: row.data as EventData });
  return { logged: toLoggedEvent(row), event, origin };
}

function logged(db: Db) {
  return db
    .selectFrom('events')
    .leftJoin('dispatch', (join) =>
      join.onRef('dispatch.event_id', '=', 'events.id').on('dispatch.queue', 'is', null),
    )
    .leftJoin('publications', 'publications.event_id', 'events.id')
    .select([
      'events.position',
      'events.id',
      'events.type',
      'events.subject',
      'events.sequence',
      'events.time',
      'events.data',
      'events.created_at',
      'dispatch.position as unsent',
      'dispatch.last_error',
    ])
    .select((eb) => [
      eb.fn.coalesce('publications.published_at', 'events.published_at').as('published_at'),
      eb.fn.coalesce('dispatch.attempts', 'publications.attempts', 'events.attempts').as('attempts'),
    ])
    .select([
      sql<Record<string, string>>`(
        select coalesce(json_object_agg(inbox.consumer, inbox.handled_at), '{}')
        from inbox where inbox.event_id = events.id)`.as('handled_at'),
      sql<string[]>`array(
        select consumer from unnest(${CONSUMER_NAMES}::text[]) as consumer
        where exists (
          select from retrying_events as retrying
          where retrying.consumer = consumer.consumer and retrying.event_id = events.id offset 0))`.as(
        'retrying',
      ),
      sql<string[]>`array(
        select ${consumerOf(sql`queue`)} from dead_letters where dead_letters.event_id = events.id)`.as(
        'dead',
      ),
    ]);
}

function matching(db: Db, { type, subject, status, from, to }: EventFilter) {
  let query = logged(db);
  if (type !== undefined) query = query.where('events.type', '=', type);
  if (subject !== undefined) query = query.where('events.subject', '=', subject);
  if (status === 'pending') query = query.where('dispatch.position', 'is not', null);
  if (status === 'published') query = query.where('dispatch.position', 'is', null);
  if (status === 'retrying')
    query = query.where(sql<SqlBool>`events.id in (select event_id from retrying_events)`);
  if (status === 'dead') query = query.where(sql<SqlBool>`events.id in (select event_id from dead_letters)`);
  // Ids and positions both follow the time, give or take the clocks: the primary key finds where in the log to look.
  const { first, end } = idsAround({ from, to });
  if (first !== null)
    query = query.where('events.time', '>=', new Date(from ?? 0)).where(
      sql<SqlBool>`events.position >= coalesce((
        select position from events where id < ${first} order by id desc limit 1), 0)`,
    );
  if (end !== null)
    query = query.where('events.time', '<', new Date(to ?? 0)).where(
      sql<SqlBool>`events.position <= coalesce((
        select position from events where id >= ${end} order by id limit 1), 9223372036854775807)`,
    );
  return query;
}
