import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { completeCase, lockCase, markReceived, type Outcome, type ReceivedBy } from './case-store';

export interface GivenReceipt {
  caseId: string;
  holder: string;
  outcome: Outcome;
}

/**
 * Records that a data holder has answered; the last answer completes the case, with `user.erasure_completed`. The first
 * answer of a holder counts, and a later one changes nothing. When it comes does not matter: also before the holder got
 * the request, and after the deadline.
 * @returns `unknown` if there is no such case, or the case does not await this holder
 */
export async function recordReceipt(
  tx: Tx,
  ctx: Context,
  receipt: GivenReceipt,
  receivedBy: ReceivedBy,
  origin: Origin,
): Promise<'received' | 'repeated' | 'unknown'> {
  // One receipt of a case at a time: otherwise two last ones would each see the other as missing.
  const locked = await lockCase(tx, receipt.caseId);
  if (!locked) return 'unknown';
  const result = await markReceived(tx, receipt, receivedBy, ctx.now());
  if (result === 'received') await completeIfAnswered(tx, ctx, { id: receipt.caseId, ...locked }, origin);
  return result;
}

/** Completes a case, which the caller has locked or inserted, if no answer is awaited. */
export async function completeIfAnswered(
  tx: Tx,
  ctx: Context,
  { id, userId, sequence }: { id: string; userId: string; sequence: string },
  origin: Origin,
): Promise<void> {
  if (!(await completeCase(tx, id, ctx.now()))) return;
  await appendEvent(tx, ctx, 'relay', {
    type: 'user.erasure_completed',
    subject: userId,
    sequence: afterRequest(sequence),
    data: { id: userId, caseId: id },
    origin,
  });
}

/** The sequence of the request, as a minor one after that of `user.deleted`. */
export function requestSequence(deleted: string): string {
  return `${deleted}.0000000001`;
}

function afterRequest(sequence: string): string {
  return sequence.replace(/1$/, '2');
}
