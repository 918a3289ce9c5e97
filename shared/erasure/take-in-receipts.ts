import * as v from 'valibot';
import type { Context } from '../context/context';
import { storeDeadLetters } from '../event-operations/dead-letter-store';
import { NOBODY } from '../events/origin';
import type { BatchResponse, RmqEvent, RmqMessage } from '../lambda/rmq-event';
import { storableText } from '../storable';
import { ReceiptMessage } from './receipt';
import { recordReceipt } from './record-receipt';

/**
 * Records a batch of receipts, each in its own transaction. What is none, or belongs to no case, becomes a dead letter: no
 * retry would make it right.
 * @throws where the database does; all of the batch then has to come again
 */
export async function takeInReceipts(ctx: Context, batch: RmqEvent): Promise<BatchResponse> {
  for (const [key, messages] of Object.entries(batch.rmqMessagesByQueue)) {
    const [queue = key] = key.split('::');
    for (const message of messages) await takeIn(ctx, queue, message);
  }
  return { batchItemFailures: [] };
}

async function takeIn(ctx: Context, queue: string, message: RmqMessage): Promise<void> {
  const body = Buffer.from(message.data, 'base64');
  const receipt = read(body);
  await ctx.db.transaction().execute(async (tx) => {
    const result = receipt ? await recordReceipt(tx, ctx, receipt, 'amqp', NOBODY) : 'malformed';
    if (result !== 'malformed' && result !== 'unknown') return;
    const error =
      result === 'malformed'
        ? 'It is no receipt: see docs/consumers.md'
        : 'There is no such case, or it does not await this data holder';
    const { messageId } = message.basicProperties;
    await storeDeadLetters(tx, [
      {
        id: ctx.newId(),
        queue,
        messageId: messageId ? storableText(messageId) : null,
        event: null,
        subject: null,
        body,
        error,
        attempts: 1,
      },
    ]);
    ctx.log.warn('A receipt was refused', { queue, reason: error });
  });
}

function read(body: Buffer): v.InferOutput<typeof ReceiptMessage> | null {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return v.parse(ReceiptMessage, json);
  } catch {
    return null;
  }
}
