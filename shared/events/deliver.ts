import type { ConsumeMessage } from 'amqplib';
import * as v from 'valibot';
import { parseEvent } from './catalog';
import type { PollContext } from './poller';
import { POLLER_ARN, type RmqEvent, toRmqMessage } from './rmq-event';
import { type Consumer, queueOf } from './topology';

/** A message that needs settling, and why. `final`: no further attempt can help. */
export interface FailedMessage {
  message: ConsumeMessage;
  reason: string;
  final: boolean;
}

export type DeliveryResult =
  | { kind: 'delivered'; failed: FailedMessage[] }
  | { kind: 'unavailable'; reason: string };

const Answer = v.nullable(
  v.object({
    batchItemFailures: v.nullish(
      v.array(v.object({ itemIdentifier: v.string(), reason: v.optional(v.string()) })),
    ),
  }),
);

/** Hands a batch to its function. What is no event of ours is never handed over: it has failed for good. */
export async function deliverBatch(
  ctx: PollContext,
  consumer: Consumer,
  batch: ConsumeMessage[],
): Promise<DeliveryResult> {
  const failed: FailedMessage[] = [];
  const events: ConsumeMessage[] = [];
  for (const message of batch) {
    const event = parseEvent(message.content);
    if (event && event.id === message.properties.messageId) events.push(message);
    else failed.push({ message, reason: 'not a valid event', final: true });
  }
  const result = await invokeWith(ctx, consumer, events);
  return result.kind === 'unavailable'
    ? result
    : { kind: 'delivered', failed: [...failed, ...result.failed] };
}

/**
 * One call with all of them. A call that fails as a whole says nothing about which message was to blame, so its
 * halves are tried by themselves: a message that crashes or stalls the function takes no healthy one along.
 */
async function invokeWith(
  ctx: PollContext,
  consumer: Consumer,
  messages: ConsumeMessage[],
): Promise<DeliveryResult> {
  if (messages.length === 0) return { kind: 'delivered', failed: [] };
  const queue = queueOf(ctx.config.events, consumer);
  const vhost = decodeURIComponent(new URL(ctx.config.broker.url).pathname.slice(1)) || '/';
  const event: RmqEvent = {
    eventSource: 'aws:rmq',
    eventSourceArn: POLLER_ARN,
    rmqMessagesByQueue: { [`${queue}::${vhost}`]: messages.map(toRmqMessage) },
  };
  const outcome = await ctx.invoke(`${ctx.config.lambda.functionPrefix}${consumer}`, event);
  if (outcome.kind === 'unavailable') return outcome;
  const result =
    outcome.kind === 'failed' ? { reason: outcome.reason } : readAnswer(outcome.payload, messages);
  if ('failed' in result) return { kind: 'delivered', failed: result.failed };

  ctx.log.error('A consumer function failed', { consumer, messages: messages.length, reason: result.reason });
  const [first] = messages;
  if (messages.length === 1 && first) {
    return { kind: 'delivered', failed: [{ message: first, reason: result.reason, final: false }] };
  }
  const middle = Math.ceil(messages.length / 2);
  const left = await invokeWith(ctx, consumer, messages.slice(0, middle));
  if (left.kind === 'unavailable') return left;
  const right = await invokeWith(ctx, consumer, messages.slice(middle));
  if (right.kind === 'unavailable') return right;
  return { kind: 'delivered', failed: [...left.failed, ...right.failed] };
}

function readAnswer(
  payload: unknown,
  messages: ConsumeMessage[],
): { failed: FailedMessage[] } | { reason: string } {
  const answer = v.safeParse(Answer, payload ?? null);
  if (!answer.success) return { reason: 'the function answered with something else than batchItemFailures' };
  const failed: FailedMessage[] = [];
  for (const { itemIdentifier, reason } of answer.output?.batchItemFailures ?? []) {
    // Every copy of it: a message can be in a batch twice.
    const named = messages.filter((message) => message.properties.messageId === itemIdentifier);
    if (named.length === 0)
      return { reason: `the function named an unknown message: ${itemIdentifier.slice(0, 100)}` };
    failed.push(...named.map((message) => ({ message, reason: reason ?? 'failed', final: false })));
  }
  return { failed };
}
