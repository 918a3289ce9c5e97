import type { ConsumeMessage } from 'amqplib';
import * as v from 'valibot';
import { type PolledQueue, queueOf } from '../broker/topology';
import type { InvokeOutcome } from '../lambda/invoke';
import { POLLER_ARN, type RmqEvent, toRmqMessage, unavailableReason } from '../lambda/rmq-event';
import { within } from '../within';
import type { PollContext } from './types';

/**
 * Invokes the consumer function of a queue with these messages. A timeout counts as a failure: if the function is still
 * running, the inbox keeps its effects from being repeated. A function that reports `unavailable` counts as not run.
 */
export async function callFunction(
  ctx: PollContext,
  polled: PolledQueue,
  messages: ConsumeMessage[],
): Promise<InvokeOutcome> {
  const { callTimeoutMs } = ctx.config.poll;
  const queue = queueOf(ctx.config.events, polled);
  const vhost = decodeURIComponent(new URL(ctx.config.broker.url).pathname.slice(1)) || '/';
  const event: RmqEvent = {
    eventSource: 'aws:rmq',
    eventSourceArn: POLLER_ARN,
    rmqMessagesByQueue: { [`${queue}::${vhost}`]: messages.map(toRmqMessage) },
  };
  const abandoned = new AbortController();
  const call = ctx.invoke(`${ctx.config.lambda.functionPrefix}${polled}`, event, abandoned.signal);
  const outcome = await within(callTimeoutMs, call, null);
  if (outcome === null) {
    abandoned.abort();
    return { kind: 'failed', reason: `the function did not respond within ${callTimeoutMs / 1000} s` };
  }
  const unavailable = outcome.kind === 'answered' ? unavailableReason(outcome.payload) : undefined;
  return unavailable === undefined ? outcome : { kind: 'unavailable', reason: unavailable };
}

export interface Failure {
  reason: string;
  /** A retry cannot succeed. */
  final: boolean;
}

/** Failures by event id. */
export type Failures = Map<string, Failure>;

/**
 * A function's response for a batch: failures and messages that it did not try. Or why the response is invalid.
 */
export type BatchOutcome = { failures: Failures; untried: Set<string> } | { reason: string };

const BatchResponse = v.nullable(
  v.object({
    batchItemFailures: v.nullish(
      v.array(
        v.object({
          itemIdentifier: v.string(),
          reason: v.optional(v.string(), 'failed'),
          final: v.optional(v.boolean(), false),
          untried: v.optional(v.boolean(), false),
        }),
      ),
    ),
  }),
);

/** @param eventIds the events that the function was invoked with */
export function readResponse(payload: unknown, eventIds: string[]): BatchOutcome {
  const response = v.safeParse(BatchResponse, payload ?? null);
  if (!response.success) return { reason: 'the response of the function is not a valid batchItemFailures' };
  const failures: Failures = new Map();
  const untried = new Set<string>();
  for (const { itemIdentifier, reason, final, ...item } of response.output?.batchItemFailures ?? []) {
    if (!eventIds.includes(itemIdentifier))
      return { reason: `the function named an unknown message: ${itemIdentifier.slice(0, 100)}` };
    if (item.untried) untried.add(itemIdentifier);
    else failures.set(itemIdentifier, { reason, final });
  }
  if (untried.size === eventIds.length) return { reason: 'the function tried none of its messages' };
  return { failures, untried };
}
