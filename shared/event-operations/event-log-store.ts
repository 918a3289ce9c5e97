import { sql } from 'kysely';
import type { Db } from '../db/connection';

export interface LoggedEvent {
  /** The place in the log: the order in which events were appended. */
  position: number;
  id: string;
  type: string;
  subject: string;
  sequence: string;
  time: string;
  data: Record<string, unknown>;
  status: 'pending' | 'published';
  createdAt: string;
  publishedAt: string | null;
  attempts: number;
  lastError: string | null;
  /** By consumer, when it was handled. */
  handledAt: Record<string, string>;
}

export interface EventFilter {
  type?: string | undefined;
  subject?: string | undefined;
  status?: 'pending' | 'published' | undefined;
}

/** Newest first. @param before the position of the last event of the page before */
export async function listEvents(
  db: Db,
  filter: EventFilter,
  limit: number,
  before: number | undefined,
): Promise<LoggedEvent[]> {
  let query = db
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
    .select(
      sql<Record<string, string>>`(
        select coalesce(json_object_agg(inbox.consumer, inbox.handled_at), '{}')
        from inbox where inbox.event_id = events.id)`.as('handled_at'),
    )
    .orderBy('events.position', 'desc')
    .limit(limit);
  if (filter.type) query = query.where('events.type', '=', filter.type);
  if (filter.subject) query = query.where('events.subject', '=', filter.subject);
  if (filter.status)
    query = query.where('dispatch.position', filter.status === 'pending' ? 'is not' : 'is', null);
  if (before !== undefined) query = query.where('events.position', '<', String(before));
  const rows = await query.execute();
  return rows.map(
    (row): LoggedEvent => ({
      position: Number(row.position),
      id: row.id,
      type: row.type,
      subject: row.subject,
      sequence: row.sequence,
      time: row.time.toISOString(),
      data: row.data,
      status: row.unsent === null ? 'published' : 'pending',
      createdAt: row.created_at.toISOString(),
      publishedAt: row.unsent === null ? (row.published_at?.toISOString() ?? null) : null,
      attempts: row.attempts,
      lastError: row.last_error,
      handledAt: Object.fromEntries(
        Object.entries(row.handled_at).map(([consumer, time]) => [consumer, new Date(time).toISOString()]),
      ),
    }),
  );
}
