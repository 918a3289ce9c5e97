import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { MAX_EXPORT_BYTES, MAX_PART_BYTES } from '../exports/export-case';
import { lockExport, storedPartBytes, storePart } from '../exports/export-store';
import { markReadyIfAnswered } from '../exports/mark-ready';
import { sealPart } from '../exports/part';
import { appendEvent } from '../outbox/event-store';
import { completeCase, lockCase, type ReceivedBy } from './case-store';
import { findDataHolder } from './data-holder-store';
import { withdrawRequests } from './overdue-store';
import type { Answer } from './receipt';
import { type CaseKind, findOwed, markReceived } from './receipt-store';

export interface GivenReceipt {
  caseId: string;
  /** Omitted: the id says it. */
  kind?: CaseKind;
  holder: string;
  answer: Answer;
}

/** Why a receipt is refused. Sending it again does not help. */
export type Refusal = 'unknown' | 'unfitting' | 'too_large';

/**
 * Records that a data holder has answered, to an erasure or an export. The last answer completes an erasure, with
 * `user.erasure_completed`, or makes an export ready, with `user.export_ready`. The first answer of a holder counts, and a
 * later one changes nothing. When it comes does not matter: also before the holder got the request, and after the deadline.
 * @returns `unknown` if there is no such case, or the case does not await this holder; `unfitting` if an erasure is answered
 * with an export or the reverse; `too_large` for data beyond `MAX_PART_BYTES` or `MAX_EXPORT_BYTES`
 */
export async function recordReceipt(
  tx: Tx,
  ctx: Context,
  { caseId, kind: asked, holder, answer }: GivenReceipt,
  receivedBy: ReceivedBy,
  origin: Origin,
): Promise<'received' | 'repeated' | Refusal> {
  const locked = await lock(tx, ctx, caseId, asked, origin);
  if (!locked) return 'unknown';
  const { kind, finish } = locked;
  const owed = { kind, caseId, holder };
  const state = await findOwed(tx, owed);
  if (state !== 'awaited') return state;
  const { outcome } = answer;
  if (outcome !== 'nothing_held' && outcome !== (kind === 'erasure' ? 'erased' : 'exported'))
    return 'unfitting';
  if (outcome === 'exported' && !(await addPart(tx, ctx, caseId, holder, answer))) return 'too_large';
  await markReceived(tx, owed, { outcome, receivedBy, now: ctx.now() });
  if (kind === 'erasure') await withdrawAnswered(tx, caseId, holder);
  await finish();
  return 'received';
}

/** Locks the case. One receipt at a time: otherwise two last ones would each see the other as missing. */
async function lock(
  tx: Tx,
  ctx: Context,
  id: string,
  kind: CaseKind | undefined,
  origin: Origin,
): Promise<{ kind: CaseKind; finish(): Promise<unknown> } | null> {
  const erasure = kind === 'export' ? null : await lockCase(tx, id);
  if (erasure)
    return { kind: 'erasure', finish: () => completeIfAnswered(tx, ctx, { id, ...erasure }, origin) };
  const userId = kind === 'erasure' ? null : await lockExport(tx, id, ctx.now());
  if (userId === null) return null;
  return { kind: 'export', finish: () => markReadyIfAnswered(tx, ctx, { id, userId }, origin) };
}

/** @returns false if it is too large */
async function addPart(tx: Tx, ctx: Context, id: string, holder: string, answer: Answer): Promise<boolean> {
  const { data = { url: answer.url } } = answer;
  const part = sealPart(ctx, id, holder, data);
  if (part.length > MAX_PART_BYTES || (await storedPartBytes(tx, id)) + part.length > MAX_EXPORT_BYTES)
    return false;
  await storePart(tx, id, holder, part);
  return true;
}

/** The request may still wait to be sent to the holder's queue again. */
async function withdrawAnswered(tx: Tx, caseId: string, name: string): Promise<void> {
  const holder = await findDataHolder(tx, name);
  if (holder?.queue) await withdrawRequests(tx, name, holder.queue, caseId);
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
