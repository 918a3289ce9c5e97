import * as v from 'valibot';
import type { Context } from '../context/context';
import { storeDeadLetters } from '../dead-letters/dead-letter-store';
import { NOBODY } from '../events/origin';
import type { BatchResponse, RmqEvent, RmqMessage } from '../lambda/rmq-event';
import { findUnstorable, storableText } from '../storable';
import { ReceiptMessage } from './receipt';
import { recordReceipt } from './record-receipt';
import { REFUSALS } from './refusals';

const REASONS = { ...REFUSALS, malformed: 'It is no receipt: see docs/erasure.md' };
const KEPT = ['caseId', 'holder', 'outcome'];
const MAX_KEPT = 100;

/**
 * Records a batch of receipts, each in its own transaction. A message that is no receipt, or belongs
 * to no case, becomes a dead letter at once, because a retry could not succeed.
 * @throws what the database throws; the whole batch must then be delivered again
 */
export async function takeInReceipts(ctx: Context, batch: RmqEvent): Promise<BatchResponse> {
  for (const [key, messages] of Object.entries(batch.rmqMessagesByQueue)) {
    const [queue = key] = key.split('::');
    for (const message of messages) await takeIn(ctx, queue, message);
  }
  return { batchItemFailures: [] };
}

async function takeIn(ctx: Context, queue: string, message: RmqMessage): Promise<void> {
  const json = read(Buffer.from(message.data, 'base64'));
  const { success, output } = v.safeParse(ReceiptMessage, findUnstorable(json).length > 0 ? null : json);
  await ctx.db.transaction().execute(async (tx) => {
    const result = success ? await record(tx, ctx, output) : 'malformed';
    if (result === 'received' || result === 'repeated') return;
    const reason = REASONS[result];
    const { messageId } = message.basicProperties;
    await storeDeadLetters(tx, [
      {
        id: ctx.newId(),
        queue,
        messageId: messageId ? storableText(messageId) : null,
        event: null,
        subject: null,
        body: withoutPerson(json),
        error: `${reason}. Only caseId, holder and outcome were kept: the rest, such as data, may be personal`,
        attempts: 1,
      },
    ]);
    ctx.log.warn('A receipt was refused', { queue, reason });
  });
}

type Receipt = v.InferOutput<typeof ReceiptMessage>;

const record = (
  tx: Parameters<typeof recordReceipt>[0],
  ctx: Context,
  { caseId, holder, ...answer }: Receipt,
) => recordReceipt(tx, ctx, { caseId, holder, answer }, 'amqp', NOBODY);

/** @returns null for what is no JSON */
function read(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return null;
  }
}

/**
 * Keeps only members of a refused message that are known to be harmless. A holder that misspells or nests a member may still
 * have sent personal data.
 */
function withoutPerson(json: unknown): Buffer {
  const members = typeof json === 'object' && json !== null ? Object.entries(json) : [];
  const kept = members.filter(
    ([name, value]) => KEPT.includes(name) && typeof value === 'string' && value.length <= MAX_KEPT,
  );
  return Buffer.from(JSON.stringify(Object.fromEntries(kept)));
}
