import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { WebhookEndpointsTable } from '../db/tables';
import type { Subscription, Webhook, WebhookSettings } from './webhook';

const COLUMNS = [
  'id',
  'url',
  'event_types',
  'description',
  'retry_delays_seconds',
  'disabled_at',
  'disabled_reason',
  'failing_since',
  'previous_secret_expires_at',
  'version',
  'created_at',
  'updated_at',
] as const;

export async function insertWebhook(
  db: Db,
  id: string,
  settings: WebhookSettings,
  secret: Buffer,
): Promise<Webhook> {
  const row = await db
    .insertInto('webhook_endpoints')
    .values({ id, secret, ...columnsOf(settings), ...(settings.enabled ? {} : DISABLED) })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return webhookFromRow(row);
}

export async function findWebhook(db: Db, id: string): Promise<Webhook | null> {
  const row = await db
    .selectFrom('webhook_endpoints')
    .select(COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row ? webhookFromRow(row) : null;
}

/** Reads and locks the webhook until the transaction ends. */
export async function lockWebhook(tx: Tx, id: string): Promise<Webhook | null> {
  const row = await tx
    .selectFrom('webhook_endpoints')
    .select(COLUMNS)
    .where('id', '=', id)
    // Not a stronger lock: foreign key checks of new deliveries need not wait.
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ? webhookFromRow(row) : null;
}

/** Newest first. @param before the id of the last webhook of the previous page */
export async function listWebhooks(db: Db, limit: number, before: string | undefined): Promise<Webhook[]> {
  let query = db.selectFrom('webhook_endpoints').select(COLUMNS).orderBy('id', 'desc').limit(limit);
  if (before !== undefined) query = query.where('id', '<', before);
  return (await query.execute()).map(webhookFromRow);
}

export async function updateWebhookRow(
  tx: Tx,
  id: string,
  settings: WebhookSettings,
  resetFailures: boolean,
): Promise<Webhook> {
  const row = await tx
    .updateTable('webhook_endpoints')
    .set({
      ...columnsOf(settings),
      disabled_at: settings.enabled ? null : sql`coalesce(disabled_at, now())`,
      disabled_reason: settings.enabled ? null : sql`coalesce(disabled_reason, 'requested')`,
      ...(resetFailures ? NOT_FAILING : {}),
      ...nextVersion(),
    })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return webhookFromRow(row);
}

/** The current secret becomes the previous one for this many seconds; an earlier previous secret is dropped. */
export async function replaceSecret(tx: Tx, id: string, secret: Buffer, seconds: number): Promise<Webhook> {
  const row = await tx
    .updateTable('webhook_endpoints')
    .set({
      secret,
      previous_secret: sql`secret`,
      previous_secret_expires_at: sql`now() + ${seconds} * interval '1 second'`,
      ...nextVersion(),
    })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return webhookFromRow(row);
}

/** Cascades to its deliveries. */
export async function deleteWebhookRow(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('webhook_endpoints').where('id', '=', id).execute();
}

/** Does not change the version: failures of the endpoint must not cause version conflicts for clients. */
export async function clearFailures(db: Db, id: string): Promise<void> {
  await db
    .updateTable('webhook_endpoints')
    .set(NOT_FAILING)
    .where('id', '=', id)
    .where('failures', '>', 0)
    .execute();
}

export interface FailureCount {
  failures: number;
  failingSeconds: number;
}

/** @param pauseMs the pause that the endpoint requested, or 0 */
export async function countFailure(tx: Tx, id: string, pauseMs: number): Promise<FailureCount> {
  const { rows } = await sql<{ failures: number; failing_seconds: number }>`
    update webhook_endpoints set
      failures = failures + 1,
      failing_since = coalesce(failing_since, now()),
      paused_until = greatest(paused_until, now() + ${pauseMs} * interval '1 millisecond')
    where id = ${id}
    returning failures, extract(epoch from now() - failing_since)::float8 as failing_seconds`.execute(tx);
  return { failures: rows[0]?.failures ?? 0, failingSeconds: rows[0]?.failing_seconds ?? 0 };
}

export async function disableWebhook(tx: Tx, id: string, reason: 'gone' | 'failing'): Promise<Webhook> {
  const row = await tx
    .updateTable('webhook_endpoints')
    .set({ disabled_at: sql`now()`, disabled_reason: reason, ...nextVersion() })
    .where('id', '=', id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return webhookFromRow(row);
}

const DISABLED = { disabled_at: sql<Date>`now()`, disabled_reason: 'requested' } as const;
const NOT_FAILING = { failing_since: null, failures: 0, paused_until: null };

function nextVersion() {
  return { version: sql<number>`version + 1`, updated_at: sql<Date>`now()` };
}

function columnsOf({ url, eventTypes, description, retryDelaysSeconds }: WebhookSettings) {
  return { url, event_types: eventTypes, description, retry_delays_seconds: retryDelaysSeconds };
}

function webhookFromRow(row: Pick<Selectable<WebhookEndpointsTable>, (typeof COLUMNS)[number]>): Webhook {
  const expiry = row.previous_secret_expires_at;
  return {
    id: row.id,
    url: row.url,
    eventTypes: row.event_types as Subscription[],
    description: row.description,
    retryDelaysSeconds: row.retry_delays_seconds,
    enabled: row.disabled_at === null,
    disabledAt: row.disabled_at?.toISOString() ?? null,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since?.toISOString() ?? null,
    previousSecretExpiresAt: expiry?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
  };
}
