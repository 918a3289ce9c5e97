import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';
import { detailsOf } from './event-details';

/** Adds actor and origin, which are not part of the event, from the event log. */
export async function appendAuditEntries(tx: Tx, events: UserEvent[]): Promise<void> {
  await sql`
    insert into audit_log (event_id, type, subject, time, details, actor_id, address, user_agent, request_id)
    select event.id, event.type, event.subject, event.time, event.details,
      events.actor_id, events.address, events.user_agent, events.request_id
    from unnest(
      ${events.map((event) => event.id)}::uuid[], ${events.map((event) => event.type)}::text[],
      ${events.map((event) => event.subject)}::uuid[], ${events.map((event) => event.time)}::timestamptz[],
      ${events.map(detailsOf).map((details) => details && JSON.stringify(details))}::jsonb[]
    ) as event (id, type, subject, time, details) left join events on events.id = event.id`.execute(tx);
}

export interface NewAuditEntry {
  id: string;
  type: string;
  subject: string | null;
  time: Date;
  origin: Origin;
  details: Record<string, unknown>;
}

/** Adds an entry that is not an event. */
export async function appendAuditEntry(db: Db, { origin, ...entry }: NewAuditEntry): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({
      event_id: entry.id,
      type: entry.type,
      subject: entry.subject,
      time: entry.time,
      details: JSON.stringify(entry.details),
      actor_id: origin.actorId,
      address: origin.address,
      user_agent: origin.userAgent,
      request_id: origin.requestId,
    })
    .execute();
}

/**
 * Blanks address, user agent and name hash in entries older than `before`: the only update that the database permits, and
 * only after a day. @returns how many
 */
export async function blankAuditEntries(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    update audit_log set address = null, user_agent = null, details = details - 'nameHash'
    where event_id = any(array(
      select event_id from audit_log
      where time < least(${before}, now() - interval '1 day')
      and (address is not null or user_agent is not null or details ? 'nameHash')
      order by time limit ${limit} for update skip locked))`.execute(db);
  return Number(numAffectedRows ?? 0);
}

export interface AuditEntry {
  eventId: string;
  type: string;
  subject: string | null;
  actor: string | null;
  time: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
  details: Record<string, unknown> | null;
}

export interface AuditFilter {
  subject?: string | undefined;
  actor?: string | undefined;
  type?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Position of a page's last entry. */
export type AuditPosition = [time: string, eventId: string];

/** Newest first. `to` is exclusive. */
export async function listAuditEntries(
  db: Db,
  filter: AuditFilter,
  limit: number,
  after: AuditPosition | undefined,
): Promise<AuditEntry[]> {
  let query = db
    .selectFrom('audit_log')
    .selectAll()
    .orderBy('time', 'desc')
    .orderBy('event_id', 'desc')
    .limit(limit);
  if (filter.subject) query = query.where('subject', '=', filter.subject);
  if (filter.actor) query = query.where('actor_id', '=', filter.actor);
  if (filter.type) query = query.where('type', '=', filter.type);
  if (filter.from) query = query.where('time', '>=', new Date(filter.from));
  if (filter.to) query = query.where('time', '<', new Date(filter.to));
  if (after)
    query = query.where(sql<boolean>`(time, event_id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`);
  const rows = await query.execute();
  return rows.map((row) => ({
    eventId: row.event_id,
    type: row.type,
    subject: row.subject,
    actor: row.actor_id,
    time: row.time.toISOString(),
    address: row.address,
    userAgent: row.user_agent,
    requestId: row.request_id,
    details: row.details,
  }));
}
