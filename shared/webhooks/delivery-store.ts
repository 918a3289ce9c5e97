import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { WebhookDeliveriesTable } from '../db/tables';
import type { UserEvent } from '../events/catalog';
import type { Delivery, DeliveryStatus } from './webhook';

/** One delivery for every enabled endpoint that wants events of a type. An event that comes again adds none. */
export async function addDeliveries(tx: Tx, events: UserEvent[]): Promise<void> {
  await sql`
    insert into webhook_deliveries (endpoint_id, event_id, type)
    select endpoint.id, event.id, event.type
    from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ type }) => type)}::text[]) as event (id, type)
    join webhook_endpoints as endpoint
      on endpoint.disabled_at is null and endpoint.event_types && array['*', event.type]
    -- One that is being deleted meanwhile is left out, and not a foreign key that is broken.
    for key share of endpoint
    on conflict do nothing`.execute(tx);
}

/** A delivery to this endpoint alone. */
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

/** The newest event first. @param before the id of the last delivery of the page before */
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

/**
 * Makes a delivery due now, with the whole schedule of retries ahead of it. One that a sender is at stays with it.
 * @returns null where there is none
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

/** As above, for all that wait: after an endpoint was mended. */
export async function makePendingDue(tx: Tx, endpointId: string): Promise<void> {
  await tx
    .updateTable('webhook_deliveries')
    .set(DUE_ANEW)
    .where('endpoint_id', '=', endpointId)
    .where('status', '=', 'pending')
    .execute();
}

/** What endpoints answered to a user's events: some repeat what they were sent. */
export async function eraseResponses(tx: Tx, userId: string): Promise<void> {
  await sql`
    update webhook_deliveries set attempt_log = (
      select coalesce(jsonb_agg(attempt || '{"response": null}' order by place), '[]')
      from jsonb_array_elements(attempt_log) with ordinality as logged (attempt, place))
    where event_id in (select id from events where subject = ${userId})`.execute(tx);
}

/**
 * Removes deliveries that ended before this time, and those that have waited since for an endpoint that nobody has
 * enabled again.
 * @returns how many; fewer than `limit` where these were the last
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
