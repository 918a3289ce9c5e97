import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Answer } from './receipt';
import type { CaseKind } from './receipt-store';
import { type Refusal, recordReceipt } from './record-receipt';
import { REFUSALS } from './refusals';

interface HttpAnswer {
  kind: CaseKind;
  caseId: string;
  answer: Answer;
  /** The holder whose key was sent; null for an administrator. */
  keyHolder: string | null;
  /** Whose answer an administrator records. */
  holder: string | undefined;
}

/**
 * Records the answer of the holder whose key was sent, or one that an administrator has learned by other means.
 * @throws DomainError `not_found` if the case does not await the holder, `invalid_request` if it is not clear whose answer it
 * is, `payload_too_large` if the export has no room for the data
 */
export async function receiveReceipt(
  ctx: Context,
  { kind, caseId, answer, keyHolder, holder }: HttpAnswer,
  origin: Origin,
): Promise<void> {
  const name = keyHolder ?? holder;
  if (name === undefined) throw invalidHolder('is required');
  if (keyHolder !== null && holder !== undefined && holder !== keyHolder)
    throw invalidHolder('is not the holder of the key; omit it');
  await ctx.db.transaction().execute(async (tx) => {
    const receivedBy = keyHolder === null ? 'administrator' : 'http';
    const result = await recordReceipt(tx, ctx, { kind, caseId, holder: name, answer }, receivedBy, origin);
    if (result !== 'received' && result !== 'repeated') throw refused(result);
    if (keyHolder !== null || result === 'repeated') return;
    // Never what was exported: entries are permanent.
    const details = { holder: name, outcome: answer.outcome };
    await recordAdminAction(tx, ctx, origin, { type: `${kind}.receipt_recorded`, subject: caseId, details });
  });
}

function refused(refusal: Refusal): DomainError {
  const code = {
    unknown: 'not_found',
    unfitting: 'invalid_request',
    too_large: 'payload_too_large',
  } as const;
  return new DomainError(code[refusal], { detail: REFUSALS[refusal] });
}

function invalidHolder(message: string): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'holder', message }] });
}
