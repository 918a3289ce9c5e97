import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Outcome } from './case-store';
import { recordReceipt } from './record-receipt';

interface HttpAnswer {
  caseId: string;
  outcome: Outcome;
  /** The holder whose key was sent; null for an administrator. */
  keyHolder: string | null;
  /** Whose answer an administrator records. */
  holder?: string | undefined;
}

/**
 * Records the answer of the holder whose key was sent, or one that an administrator has learned by other means.
 * @throws DomainError `not_found` if the case does not await the holder, `invalid_request` if it is not clear whose answer it is
 */
export async function answerByHttp(
  ctx: Context,
  { caseId, outcome, keyHolder, holder }: HttpAnswer,
  origin: Origin,
): Promise<void> {
  const name = keyHolder ?? holder;
  if (name === undefined) throw invalidHolder('is required');
  if (keyHolder !== null && holder !== undefined && holder !== keyHolder)
    throw invalidHolder('is not the holder of the key; omit it');
  await ctx.db.transaction().execute(async (tx) => {
    const receivedBy = keyHolder === null ? 'administrator' : 'http';
    const result = await recordReceipt(tx, ctx, { caseId, holder: name, outcome }, receivedBy, origin);
    if (result === 'unknown') {
      const detail = 'There is no such case, or it does not await this data holder';
      throw new DomainError('not_found', { detail });
    }
    if (keyHolder !== null || result === 'repeated') return;
    const details = { holder: name, outcome };
    await recordAdminAction(tx, ctx, origin, { type: 'erasure.receipt_recorded', subject: caseId, details });
  });
}

function invalidHolder(message: string): DomainError {
  return new DomainError('invalid_request', { errors: [{ path: 'holder', message }] });
}
