import { sql } from 'kysely';
import type { Db } from '../db/connection';
import type { DeliveryAttempt } from '../db/tables';
import type { EventData, EventType } from '../events/catalog';

/** The event as it is in the event log now: the data of deleted users is erased there. */
export interface StoredEvent {
  type: EventType;
  subject: string;
  sequence: string;
  time: Date;
  data: EventData;
}

export interface ClaimedDelivery {
  endpointId: string;
  eventId: string;
  type: string;
  createdAt: Date;
  /** Including this one. */
  attempts: number;
  /** Attempts of the current retry schedule, including this one. */
  scheduledAttempts: number;
  url: string;
  /** Valid secrets, the current one first. */
  secrets: Buffer[];
  retryDelaysSeconds: number[] | null;
  /** Whether the endpoint's last attempt failed. */
  failing: boolean;
  /** Null if the event was purged, or for a test message, which is not in the log. */
  event: StoredEvent | null;
}

/** How many deliveries to claim: of healthy webhooks, and of those whose last attempt failed. */
export interface ClaimLimits {
  working: number;
  failing: number;
  /** Concurrent deliveries to one webhook, across all senders. */
  perEndpoint: number;
}

/**
 * Claims due deliveries, the first of each webhook before the second of any. A failing webhook gets one at a time. No
 * transaction stays open: a claim is a lease that expires if the sender dies. Safe for concurrent senders: row locks and
 * leases exclude what others have claimed.
 */
export async function claimDeliveries(
  db: Db,
  limits: ClaimLimits,
  leaseMs: number,
): Promise<ClaimedDelivery[]> {
  if (limits.working <= 0 && limits.failing <= 0) return [];
  // Nearly always nothing: planning the claim takes longer than this.
  if (!(await isAnythingDue(db))) return [];
  const { rows } = await sql<ClaimRow>`
    with offered as (
      select next.endpoint_id, next.event_id, endpoint.failures > 0 as failing,
        row_number() over (partition by endpoint.failures > 0 order by next.turn, next.next_attempt_at) as place
      from webhook_endpoints as endpoint
      cross join lateral (
        select due.*, row_number() over (order by due.next_attempt_at, due.event_id) as turn
        from (
          select endpoint_id, event_id, next_attempt_at from webhook_deliveries
          where endpoint_id = endpoint.id and status = 'pending' and next_attempt_at <= now()
            and (claimed_until is null or claimed_until <= now())
          order by next_attempt_at, event_id
          limit ${limits.perEndpoint}
        ) as due
      ) as next
      where endpoint.disabled_at is null
        and (endpoint.paused_until is null or endpoint.paused_until <= now())
        and next.turn <= case when endpoint.failures > 0 then 1 else ${limits.perEndpoint}::int end - (
          select count(*) from webhook_deliveries
          where endpoint_id = endpoint.id and claimed_until > now())
    ), chosen as materialized (
      select * from offered
      where place <= case when failing then ${limits.failing}::int else ${limits.working}::int end
      -- A limit for the planner, which would otherwise scan the whole table below.
      limit ${limits.failing + limits.working}
    ), taken as materialized (
      select delivery.endpoint_id, delivery.event_id, chosen.failing
      from chosen join webhook_deliveries as delivery using (endpoint_id, event_id)
      -- Checked again, because another sender may have claimed it since this statement started.
      where delivery.status = 'pending' and delivery.next_attempt_at <= now()
        and (delivery.claimed_until is null or delivery.claimed_until <= now())
      for update of delivery skip locked
    )
    update webhook_deliveries as delivery set
      claimed_until = now() + ${leaseMs} * interval '1 millisecond',
      attempts = delivery.attempts + 1
    from taken
    join webhook_endpoints as endpoint on endpoint.id = taken.endpoint_id
    left join events on events.id = taken.event_id
    where delivery.endpoint_id = taken.endpoint_id and delivery.event_id = taken.event_id
    returning delivery.endpoint_id, delivery.event_id, delivery.type as delivery_type, delivery.created_at,
      delivery.attempts, delivery.attempts_before_schedule, endpoint.url, endpoint.secret,
      case when endpoint.previous_secret_expires_at > now() then endpoint.previous_secret end as previous_secret,
      endpoint.retry_delays_seconds, taken.failing,
      events.type, events.subject, events.sequence, events.time, events.data`.execute(db);
  return rows.map((row) => ({
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    type: row.delivery_type,
    createdAt: row.created_at,
    attempts: row.attempts,
    scheduledAttempts: row.attempts - row.attempts_before_schedule,
    url: row.url,
    secrets: [row.secret, ...(row.previous_secret ? [row.previous_secret] : [])],
    retryDelaysSeconds: row.retry_delays_seconds,
    failing: row.failing,
    event: row.type === null ? null : row,
  }));
}

async function isAnythingDue(db: Db): Promise<boolean> {
  const { rows } = await sql`
    select from webhook_endpoints as endpoint
    where disabled_at is null and (paused_until is null or paused_until <= now()) and exists (
      select from webhook_deliveries
      where endpoint_id = endpoint.id and status = 'pending' and next_attempt_at <= now()
        and (claimed_until is null or claimed_until <= now()))
    limit 1`.execute(db);
  return rows.length > 0;
}

type ClaimRow = StoredEvent & {
  endpoint_id: string;
  event_id: string;
  delivery_type: string;
  created_at: Date;
  attempts: number;
  attempts_before_schedule: number;
  url: string;
  secret: Buffer;
  previous_secret: Buffer | null;
  retry_delays_seconds: number[] | null;
  failing: boolean;
};

const KEPT_ATTEMPTS = 10;

/**
 * Ends a claim: the delivery succeeded, failed permanently, or waits for its next attempt.
 * @param db if there is a response, a transaction that holds the event's user
 * @param next the milliseconds until the next attempt, or the final status
 * @returns false if the claim had expired; then the result of the sender that claimed it since counts
 */
export async function settleDelivery(
  db: Db,
  { endpointId, eventId }: ClaimedDelivery,
  attempt: DeliveryAttempt,
  next: number | 'succeeded' | 'failed',
): Promise<boolean> {
  const retryMs = typeof next === 'number' ? next : null;
  const attemptJson = JSON.stringify(attempt);
  const { numAffectedRows } = await sql`
    update webhook_deliveries set
      status = ${retryMs === null ? next : 'pending'},
      next_attempt_at = now() + ${retryMs ?? 0} * interval '1 millisecond',
      finished_at = case when ${retryMs === null} then now() end,
      claimed_until = null,
      attempt_log = jsonb_path_query_array(
        attempt_log || jsonb_build_array(
          -- A response may echo the event, whose user may have been deleted since.
          case when ${attempt.response === null} or type = 'user.deleted' or not exists (
            select from events as deleted where deleted.type = 'user.deleted'
            and deleted.subject = (select subject from events where events.id = event_id))
          then ${attemptJson}::jsonb else ${attemptJson}::jsonb || '{"response": null}' end), ${`$[last - ${KEPT_ATTEMPTS - 1} to last]`}::jsonpath)
    where endpoint_id = ${endpointId} and event_id = ${eventId}
      and status = 'pending' and attempts = ${attempt.attempt}`.execute(db);
  return numAffectedRows === 1n;
}
