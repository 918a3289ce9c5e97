import type { Context } from '../context/context';
import { findTarget } from '../webhooks/find-target';
import type { ResolveHost } from '../webhooks/resolve-host';
import { signMessage } from '../webhooks/sign';
import { TEST_TYPE } from '../webhooks/webhook';
import type { ClaimedDelivery } from './claim-store';
import { type HttpAnswer, postMessage } from './post-message';

export interface WebhookContext extends Context {
  resolveHost: ResolveHost;
}

/**
 * - `answered`: the endpoint responded, with any status
 * - `unanswered`: no response, or the address is not allowed
 * - `nothing`: there is nothing to send; does not count as a failure of the endpoint
 */
export type Answer =
  | ({ kind: 'answered' } & HttpAnswer)
  | { kind: 'unanswered'; error: string }
  | { kind: 'nothing'; error: string };

export interface Outcome {
  answer: Answer;
  startedAt: Date;
  durationMs: number;
}

/** Makes one delivery attempt. The timeout covers DNS, connection and response. Never throws. */
export async function attemptDelivery(ctx: WebhookContext, delivery: ClaimedDelivery): Promise<Outcome> {
  const startedAt = ctx.now();
  const from = performance.now();
  const answer = await send(ctx, delivery);
  return { answer, startedAt, durationMs: Math.round(performance.now() - from) };
}

async function send(ctx: WebhookContext, delivery: ClaimedDelivery): Promise<Answer> {
  const body = bodyOf(delivery);
  if (body === null) return { kind: 'nothing', error: 'the event is no longer in the event log' };
  const { timeoutMs, allowedNetworks } = ctx.config.webhooks;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const url = new URL(delivery.url);
    const target = await beforeAbort(late, findTarget(url, ctx.resolveHost, allowedNetworks));
    if (target.kind === 'refused') return { kind: 'unanswered', error: target.reason };
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Rollcall-Webhooks',
      ...signMessage(delivery.eventId, ctx.now(), body, delivery.secrets),
    };
    return { kind: 'answered', ...(await postMessage(url, target.addresses, headers, body, late)) };
  } catch (error) {
    if (late.aborted) return { kind: 'unanswered', error: `no response within ${timeoutMs} ms` };
    return { kind: 'unanswered', error: messageOf(error) };
  }
}

/** If connecting to several addresses fails, the AggregateError itself has no message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/**
 * The payload of Standard Webhooks ("Payload structure": `type`, `timestamp`, `data`), with subject and sequence. Built
 * from the event log at the time of sending, so that erased data is not sent.
 * @returns null if the event is no longer in the log
 */
function bodyOf({ type, event, endpointId, createdAt }: ClaimedDelivery): string | null {
  if (type === TEST_TYPE) return JSON.stringify({ type, timestamp: createdAt, data: { id: endpointId } });
  if (!event) return null;
  const { time: timestamp, data, subject, sequence } = event;
  return JSON.stringify({ type, timestamp, data, subject, sequence });
}

/** Stops waiting for a promise that cannot be cancelled, such as a DNS lookup. */
function beforeAbort<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}
