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
    .selectFrom('outbox')
    .selectAll()
    .select(
      sql<Record<string, string>>`(
        select coalesce(json_object_agg(inbox.consumer, inbox.handled_at), '{}')
        from inbox where inbox.event_id = outbox.id)`.as('handled_at'),
    )
    .orderBy('position', 'desc')
    .limit(limit);
  if (filter.type) query = query.where('type', '=', filter.type);
  if (filter.subject) query = query.where('subject', '=', filter.subject);
  if (filter.status) query = query.where('published_at', filter.status === 'pending' ? 'is' : 'is not', null);
  if (before !== undefined) query = query.where('position', '<', String(before));
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
      status: row.published_at ? 'published' : 'pending',
      createdAt: row.created_at.toISOString(),
      publishedAt: row.published_at?.toISOString() ?? null,
      attempts: row.attempts,
      lastError: row.last_error,
      handledAt: Object.fromEntries(
        Object.entries(row.handled_at).map(([consumer, time]) => [consumer, new Date(time).toISOString()]),
      ),
    }),
  );
}
