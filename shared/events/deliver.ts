import type { ConsumeMessage } from 'amqplib';
import * as v from 'valibot';
import type { InvokeOutcome } from '../lambda/invoke';
import type { EventMessage } from './order';
import type { PollContext } from './poller';
import { POLLER_ARN, type RmqEvent, toRmqMessage } from './rmq-event';
import { type PolledQueue, queueOf } from './topology';

export interface Failure {
  reason: string;
  /** No further attempt can help. */
  final: boolean;
}

/** Why each event that was not handled was not, by its id. */
export type Failures = Map<string, Failure>;

export type DeliveryResult =
  | { kind: 'delivered'; failures: Failures }
  | { kind: 'unavailable'; reason: string };

const Answer = v.nullable(
  v.object({
    batchItemFailures: v.nullish(
      v.array(
        v.object({
          itemIdentifier: v.string(),
          reason: v.optional(v.string(), 'failed'),
          final: v.optional(v.boolean(), false),
        }),
      ),
    ),
  }),
);

/** Runs the function that a queue is for, with these messages. */
export function callFunction(
  ctx: PollContext,
  polled: PolledQueue,
  messages: ConsumeMessage[],
): Promise<InvokeOutcome> {
  const queue = queueOf(ctx.config.events, polled);
  const vhost = decodeURIComponent(new URL(ctx.config.broker.url).pathname.slice(1)) || '/';
  const event: RmqEvent = {
    eventSource: 'aws:rmq',
    eventSourceArn: POLLER_ARN,
    rmqMessagesByQueue: { [`${queue}::${vhost}`]: messages.map(toRmqMessage) },
  };
  return ctx.invoke(`${ctx.config.lambda.functionPrefix}${polled}`, event);
}

/**
 * One call with all of them. A call that fails as a whole says nothing about which message was to blame, so its
 * halves are tried by themselves: a message that crashes or stalls the function takes no healthy one along. What
 * comes after a failed event of the same user fails with it, untried.
 */
export async function deliverEvents(
  ctx: PollContext,
  polled: PolledQueue,
  events: EventMessage[],
): Promise<DeliveryResult> {
  const [first] = events;
  if (!first) return { kind: 'delivered', failures: new Map() };
  const outcome = await callFunction(
    ctx,
    polled,
    events.map(({ message }) => message),
  );
  if (outcome.kind === 'unavailable') return outcome;
  const result = outcome.kind === 'failed' ? { reason: outcome.reason } : readAnswer(outcome.payload, events);
  if ('failures' in result) return { kind: 'delivered', failures: result.failures };

  ctx.log.error('A consumer function failed', {
    consumer: polled,
    messages: events.length,
    reason: result.reason,
  });
  if (events.length === 1) {
    const failure = { reason: result.reason, final: false };
    return { kind: 'delivered', failures: new Map([[first.event.id, failure]]) };
  }
  const middle = Math.ceil(events.length / 2);
  const left = await deliverEvents(ctx, polled, events.slice(0, middle));
  if (left.kind === 'unavailable') return left;
  const stuck = new Set(
    events.filter(({ event }) => left.failures.has(event.id)).map(({ event }) => event.subject),
  );
  const rest = events.slice(middle);
  const right = await deliverEvents(
    ctx,
    polled,
    rest.filter(({ event }) => !stuck.has(event.subject)),
  );
  if (right.kind === 'unavailable') return right;
  const behind = rest.filter(({ event }) => stuck.has(event.subject));
  return {
    kind: 'delivered',
    failures: new Map([
      ...left.failures,
      ...right.failures,
      ...behind.map(({ event }) => [event.id, NOT_TRIED] as const),
    ]),
  };
}

const NOT_TRIED: Failure = { reason: 'not tried: an earlier event of the user failed', final: false };

function readAnswer(payload: unknown, events: EventMessage[]): { failures: Failures } | { reason: string } {
  const answer = v.safeParse(Answer, payload ?? null);
  if (!answer.success) return { reason: 'the function answered with something else than batchItemFailures' };
  const failures: Failures = new Map();
  for (const { itemIdentifier, reason, final } of answer.output?.batchItemFailures ?? []) {
    if (!events.some(({ event }) => event.id === itemIdentifier))
      return { reason: `the function named an unknown message: ${itemIdentifier.slice(0, 100)}` };
    failures.set(itemIdentifier, { reason, final });
  }
  return { failures };
}
