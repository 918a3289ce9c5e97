import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { DeliveryAttempt } from '../db/tables';
import { holdUsers } from '../event-operations/erase-store';
import { NOBODY } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { sequenceOf } from '../users/sequence';
import { clearFailures, countFailure, disableWebhook, lockWebhook } from '../webhooks/webhook-store';
import type { Answer, Outcome } from './attempt-delivery';
import { type ClaimedDelivery, settleDelivery } from './claim-store';

/** Fewer consecutive failures are no evidence, even over a long time: there may have been few events. */
const MIN_FAILURES_TO_DISABLE = 10;
const MAX_PAUSE_MS = 60 * 60 * 1000;
const JITTER = 0.2;

/** The result of an attempt. `retried`: a retry is scheduled; `lost`: the claim expired meanwhile. */
export type Verdict = 'succeeded' | 'retried' | 'failed' | 'lost';

/**
 * Records the result of an attempt and its consequences.
 *
 * | response               | delivery                                       | webhook                                |
 * | ---------------------- | ---------------------------------------------- | -------------------------------------- |
 * | 2xx                    | succeeded                                      | failures reset                         |
 * | 410                    | failed                                         | disabled                               |
 * | 429, 503 + Retry-After | retried by schedule, but not before that time  | paused until then, at most one hour    |
 * | any other, or none     | retried by schedule, failed after its end      | disabled if it has failed for too long |
 * | nothing to send        | failed                                         | unchanged                              |
 */
export async function recordAttempt(
  ctx: Context,
  delivery: ClaimedDelivery,
  { answer, startedAt, durationMs }: Outcome,
): Promise<Verdict> {
  const status = answer.kind === 'answered' ? answer.status : null;
  const attempt: DeliveryAttempt = {
    attempt: delivery.attempts,
    startedAt: startedAt.toISOString(),
    durationMs,
    responseStatus: status,
    response: answer.kind === 'answered' ? answer.excerpt : null,
    error: errorOf(answer),
  };
  const settle = (result: 'succeeded' | 'failed') =>
    attempt.response
      ? ctx.db.transaction().execute((tx) => settleHoldingUser(tx, delivery, attempt, result))
      : settleDelivery(ctx.db, delivery, attempt, result);
  if (status !== null && status >= 200 && status < 300) {
    if (!(await settle('succeeded'))) return 'lost';
    await clearFailures(ctx.db, delivery.endpointId);
    return 'succeeded';
  }
  if (answer.kind === 'nothing') return (await settle('failed')) ? 'failed' : 'lost';
  return recordFailure(ctx, delivery, answer, attempt);
}

async function recordFailure(
  ctx: Context,
  delivery: ClaimedDelivery,
  answer: Answer,
  attempt: DeliveryAttempt,
): Promise<Verdict> {
  const gone = attempt.responseStatus === 410;
  const pauseMs = pauseOf(answer, ctx.now());
  const delayMs = gone ? undefined : delayOf(ctx, delivery);
  const next = delayMs === undefined ? 'failed' : Math.max(delayMs, pauseMs);
  const disabled = await ctx.db.transaction().execute(async (tx) => {
    const webhook = await lockWebhook(tx, delivery.endpointId);
    if (!webhook || !(await settleHoldingUser(tx, delivery, attempt, next))) return 'lost';
    const { failures, failingSeconds } = await countFailure(tx, webhook.id, pauseMs);
    const failing =
      failures >= MIN_FAILURES_TO_DISABLE && failingSeconds >= ctx.config.webhooks.disableAfterSeconds;
    if (!webhook.enabled || !(gone || failing)) return null;
    const reason = gone ? 'gone' : 'failing';
    const { version } = await disableWebhook(tx, webhook.id, reason);
    const host = new URL(webhook.url).host;
    await appendEvent(tx, ctx, 'relay', {
      type: 'webhook.disabled',
      subject: webhook.id,
      sequence: sequenceOf(version),
      data: { id: webhook.id, host, reason },
      origin: NOBODY,
    });
    return { webhookId: webhook.id, host, reason, failures };
  });
  if (disabled === 'lost') return 'lost';
  if (disabled) ctx.log.error('A webhook was disabled', disabled);
  return next === 'failed' ? 'failed' : 'retried';
}

/** A response may echo the event, so a deletion under way has to be visible to the statement that stores it. */
async function settleHoldingUser(
  tx: Tx,
  delivery: ClaimedDelivery,
  attempt: DeliveryAttempt,
  next: number | 'succeeded' | 'failed',
): Promise<boolean> {
  if (attempt.response && delivery.event) await holdUsers(tx, [delivery.event.subject]);
  return settleDelivery(tx, delivery, attempt, next);
}

function errorOf(answer: Answer): string | null {
  if (answer.kind !== 'answered') return answer.error;
  if (answer.status >= 200 && answer.status < 300) return null;
  return answer.status >= 300 && answer.status < 400
    ? 'redirects are not followed'
    : `status ${answer.status}`;
}

/** The scheduled delay plus up to 20 % jitter, which spreads out retries. @returns undefined at the end of the schedule */
function delayOf(ctx: Context, delivery: ClaimedDelivery): number | undefined {
  const own = delivery.retryDelaysSeconds?.map((seconds) => seconds * 1000);
  const delay = (own ?? ctx.config.webhooks.retryDelaysMs)[delivery.scheduledAttempts - 1];
  return delay === undefined ? undefined : Math.round(delay * (1 + Math.random() * JITTER));
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. */
function pauseOf(answer: Answer, now: Date): number {
  if (answer.kind !== 'answered' || (answer.status !== 429 && answer.status !== 503)) return 0;
  const header = answer.headers['retry-after'] ?? '';
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), MAX_PAUSE_MS);
}
