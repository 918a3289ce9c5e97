import type { ConsumeMessage } from 'amqplib';
import * as v from 'valibot';
import { type PolledQueue, queueOf } from '../broker/topology';
import type { InvokeOutcome } from '../lambda/invoke';
import { POLLER_ARN, type RmqEvent, toRmqMessage, unavailableReason } from '../lambda/rmq-event';
import { within } from '../within';
import type { PollContext } from './types';

/**
 * Runs the function that a queue is for, with these messages. One that has not answered in time has failed: what it is
 * still at cannot take effect twice, because of the inbox. One that says that it cannot work right now did not run.
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
  const reason = `the function has not answered within ${callTimeoutMs / 1000} s`;
  const outcome = await within(callTimeoutMs, call, { kind: 'failed', reason } as const);
  abandoned.abort();
  const unavailable = outcome.kind === 'answered' ? unavailableReason(outcome.payload) : undefined;
  return unavailable === undefined ? outcome : { kind: 'unavailable', reason: unavailable };
}

export interface Failure {
  reason: string;
  /** No further attempt can help. */
  final: boolean;
}

/** Why each event that was not handled was not, by its id. */
export type Failures = Map<string, Failure>;

/**
 * What a function says of the messages that it was given: the failures, and those that it did not get to. Or why its answer
 * makes no sense.
 */
export type Answer = { failures: Failures; untried: Set<string> } | { reason: string };

const BatchAnswer = v.nullable(
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

/** @param eventIds those that the function was given */
export function readAnswer(payload: unknown, eventIds: string[]): Answer {
  const answer = v.safeParse(BatchAnswer, payload ?? null);
  if (!answer.success) return { reason: 'the function answered with something else than batchItemFailures' };
  const failures: Failures = new Map();
  const untried = new Set<string>();
  for (const { itemIdentifier, reason, final, ...item } of answer.output?.batchItemFailures ?? []) {
    if (!eventIds.includes(itemIdentifier))
      return { reason: `the function named an unknown message: ${itemIdentifier.slice(0, 100)}` };
    if (item.untried) untried.add(itemIdentifier);
    else failures.set(itemIdentifier, { reason, final });
  }
  if (untried.size === eventIds.length) return { reason: 'the function tried none of its messages' };
  return { failures, untried };
}
