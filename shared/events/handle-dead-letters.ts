import type { ConsumeMessage } from 'amqplib';
import { callFunction } from './deliver';
import type { PollContext } from './poller';
import type { BatchResult } from './queue-poller';
import { DEAD_LETTERS } from './topology';

/** Lambda takes 6 MB in one call, and Base64 makes four bytes of three. */
const MAX_CALL_BYTES = 4_000_000;

/** Has a batch of dead letters stored. They have nowhere else to go: until they are stored, they stay in their queue. */
export async function handleDeadLetters(ctx: PollContext, batch: ConsumeMessage[]): Promise<BatchResult> {
  for (const messages of bySize(batch)) {
    const outcome = await callFunction(ctx, DEAD_LETTERS, messages);
    if (outcome.kind !== 'answered') return { kind: 'unavailable', reason: outcome.reason };
  }
  return { kind: 'settled', sendOn: async () => {} };
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
