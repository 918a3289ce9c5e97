import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { DeliveryAttempt, WebhookDeliveriesTable } from '../db/tables';
import type { UserEvent } from '../events/catalog';
import type { Delivery, DeliveryStatus } from './webhook';

/** Adds a delivery per event and enabled webhook that subscribes to its type. A repeated event adds none. */
export async function addDeliveries(tx: Tx, events: UserEvent[]): Promise<void> {
  await sql`
    insert into webhook_deliveries (endpoint_id, event_id, type)
    select endpoint.id, event.id, event.type
    from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ type }) => type)}::text[]) as event (id, type)
    join webhook_endpoints as endpoint
      on endpoint.disabled_at is null and endpoint.event_types && array['*', event.type]
    -- Skips webhooks that are being deleted, which would otherwise violate the foreign key.
    for key share of endpoint
    on conflict do nothing`.execute(tx);
}

/** Adds a delivery to one webhook. */
export async function addDelivery(
  db: Db,
  endpointId: string,
  eventId: string,
  type: string,
): Promise<Delivery> {
  const row = await db
    .insertInto('webhook_deliveries')
    .values({ endpoint_id: endpointId, event_id: eventId, type, attempt_log: '[]' })
    .returningAll()
    .executeTakeFirstOrThrow();
  return deliveryFromRow(row);
}

/** Newest event first. @param before the id of the last delivery of the previous page */
export async function listDeliveries(
  db: Db,
  endpointId: string,
  status: DeliveryStatus | undefined,
  limit: number,
  before: string | undefined,
): Promise<Delivery[]> {
  let query = db
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .orderBy('event_id', 'desc')
    .limit(limit);
  if (status) query = query.where('status', '=', status);
  if (before !== undefined) query = query.where('event_id', '<', before);
  return (await query.execute()).map(deliveryFromRow);
}

/** A delivery of an event, with where it goes. The path of the URL may contain a token, so only its host is here. */
export interface EventDelivery {
  endpointId: string;
  host: string;
  attempts: DeliveryAttempt[];
  /** Null if no attempt is scheduled. */
  nextAttemptAt: string | null;
}

/** The deliveries of one event. */
export async function listDeliveriesOf(db: Db, eventId: string): Promise<EventDelivery[]> {
  const rows = await db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_endpoints as endpoint', 'endpoint.id', 'delivery.endpoint_id')
    .select(['endpoint.id', 'endpoint.url', 'delivery.attempt_log', 'delivery.status', 'next_attempt_at'])
    .where('delivery.event_id', '=', eventId)
    .execute();
  return rows.map(({ id, url, attempt_log, status, next_attempt_at }) => ({
    endpointId: id,
    host: new URL(url).host,
    attempts: attempt_log,
    nextAttemptAt: status === 'pending' ? next_attempt_at.toISOString() : null,
  }));
}

/**
 * Makes a delivery due now, with the full retry schedule. A claimed delivery stays with its sender.
 * @returns null if the delivery does not exist
 */
export async function makeDeliveryDue(db: Db, endpointId: string, eventId: string): Promise<Delivery | null> {
  const row = await db
    .updateTable('webhook_deliveries')
    .set(DUE_ANEW)
    .where('endpoint_id', '=', endpointId)
    .where('event_id', '=', eventId)
    .returningAll()
    .executeTakeFirst();
  return row ? deliveryFromRow(row) : null;
}

/** Like `makeDeliveryDue`, for all pending deliveries of a webhook. */
export async function makePendingDue(tx: Tx, endpointId: string): Promise<void> {
  await tx
    .updateTable('webhook_deliveries')
    .set(DUE_ANEW)
    .where('endpoint_id', '=', endpointId)
    .where('status', '=', 'pending')
    .execute();
}

/** Erases responses to a user's events, because endpoints may echo what they receive. */
export async function eraseResponses(tx: Tx, userId: string): Promise<void> {
  await sql`
    update webhook_deliveries set attempt_log = (
      select coalesce(jsonb_agg(attempt || '{"response": null}' order by place), '[]')
      from jsonb_array_elements(attempt_log) with ordinality as logged (attempt, place))
    where event_id in (select id from events where subject = ${userId})`.execute(tx);
}

/**
 * Deletes deliveries that finished before this time, and pending ones of webhooks that have been disabled since.
 * @returns how many; fewer than `limit` if none are left
 */
export async function purgeDeliveries(db: Db, before: Date, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    with finished as materialized (
      select endpoint_id, event_id from webhook_deliveries
      where finished_at < ${before} limit ${limit} for update skip locked
    ), unwanted as materialized (
      select delivery.endpoint_id, delivery.event_id from webhook_endpoints as endpoint
      join webhook_deliveries as delivery on delivery.endpoint_id = endpoint.id
      where endpoint.disabled_at < ${before} and delivery.status = 'pending'
        and delivery.next_attempt_at < ${before}
      limit ${limit} for update of delivery skip locked
    )
    delete from webhook_deliveries where (endpoint_id, event_id) in (
      select * from finished union all select * from unwanted limit ${limit})`.execute(db);
  return Number(numAffectedRows ?? 0);
}

const DUE_ANEW = {
  status: 'pending',
  finished_at: null,
  next_attempt_at: sql<Date>`now()`,
  attempts_before_schedule: sql<number>`attempts`,
} as const;

function deliveryFromRow(row: Selectable<WebhookDeliveriesTable>): Delivery {
  return {
    id: row.event_id,
    type: row.type,
    status: row.status,
    attemptCount: row.attempts,
    attempts: row.attempt_log,
    nextAttemptAt: row.status === 'pending' ? row.next_attempt_at.toISOString() : null,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}
