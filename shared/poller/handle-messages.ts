import type { ConsumeMessage } from 'amqplib';
import type { BrokerConnection } from '../broker/connection';
import { queueOf, type WITHOUT_EVENTS } from '../broker/topology';
import { callFunction } from './call-function';
import { copyOf, sendConfirmed } from './settle';
import type { BatchResult, PollContext } from './types';

/** Lambda accepts payloads up to 6 MB, and Base64 adds a third. */
const MAX_CALL_BYTES = 4_000_000;

/**
 * Hands a batch of messages that are no events to the function that stores them. They stay in their queue until they are
 * stored. One that cannot be stored while others can is moved to the end of the queue.
 */
export async function handleMessages(
  ctx: PollContext,
  connection: BrokerConnection,
  polled: (typeof WITHOUT_EVENTS)[number],
  batch: ConsumeMessage[],
  stop: AbortSignal,
): Promise<BatchResult> {
  const calls = bySize(batch);
  const failed: ConsumeMessage[] = [];
  let stored = 0;
  let reason = '';
  for (let isFirst = true; calls.length > 0; isFirst = false) {
    if (stop.aborted && !isFirst) break;
    const [call = []] = calls.splice(0, 1);
    const outcome = await callFunction(ctx, polled, call);
    if (outcome.kind === 'answered') {
      stored += call.length;
      continue;
    }
    reason = outcome.reason;
    if (outcome.kind === 'unavailable') {
      calls.unshift(call);
      break;
    }
    ctx.log.error('Messages could not be stored', { function: polled, messages: call.length, reason });
    if (call.length > 1) calls.unshift(...call.map((message) => [message]));
    else failed.push(...call);
  }
  // If none could be stored, no single message is the cause.
  if (stored === 0) return { sendOn: async () => {}, rest: batch, unavailable: reason };
  const rest = calls.flat();
  const sendOn = async () => {
    const queue = queueOf(ctx.config.events, polled);
    for (const message of failed) await sendConfirmed(connection, copyOf(message, '', queue, {}));
  };
  return { sendOn, rest, ...(rest.length > 0 && reason !== '' && { unavailable: reason }) };
}

function bySize(batch: ConsumeMessage[]): ConsumeMessage[][] {
  const calls: ConsumeMessage[][] = [];
  let bytes = 0;
  for (const message of batch) {
    bytes += message.content.length;
    const call = calls.at(-1);
    if (call && bytes <= MAX_CALL_BYTES) {
      call.push(message);
    } else {
      calls.push([message]);
      bytes = message.content.length;
    }
  }
  return calls;
}
