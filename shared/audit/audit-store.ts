import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { UserEvent } from '../events/catalog';

/** Who acted, and from where, is not in the event: it stayed beside its outbox row, and is joined here. */
export async function appendAuditEntries(tx: Tx, events: UserEvent[]): Promise<void> {
  await sql`
    insert into audit_log (event_id, type, subject, time, actor_id, address, user_agent, request_id)
    select event.id, event.type, event.subject, event.time,
      outbox.actor_id, outbox.address, outbox.user_agent, outbox.request_id
    from unnest(
      ${events.map((event) => event.id)}::uuid[], ${events.map((event) => event.type)}::text[],
      ${events.map((event) => event.subject)}::uuid[], ${events.map((event) => event.time)}::timestamptz[]
    ) as event (id, type, subject, time) left join outbox on outbox.id = event.id`.execute(tx);
}

export interface AuditEntry {
  eventId: string;
  type: string;
  subject: string;
  actor: string | null;
  time: string;
  address: string | null;
  userAgent: string | null;
  requestId: string | null;
}

export interface AuditFilter {
  subject?: string | undefined;
  actor?: string | undefined;
  type?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Where a page ended: the time and event id of its last entry. */
export type AuditPosition = [time: string, eventId: string];

/** Newest first. @param to not included */
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
  }));
}
