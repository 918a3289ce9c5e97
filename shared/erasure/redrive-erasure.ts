import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { findCase, lockCase } from './case-store';
import { remindHolder } from './overdue-store';

/**
 * Has the request sent to the queue of one data holder again.
 * @throws DomainError `not_found` if the case does not await the holder, `not_redrivable` if the holder has answered, has no
 * queue, or the request already waits to be sent there
 */
export async function redriveErasure(
  ctx: Context,
  caseId: string,
  holder: string,
  origin: Origin,
): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const found = (await lockCase(tx, caseId)) && (await findCase(tx, caseId, ctx.now()));
    const receipt = found?.receipts.find((one) => one.holder === holder);
    if (!receipt) throw new DomainError('not_found', { detail: 'The case does not await this data holder' });
    if (receipt.receivedAt !== null) throw notRedrivable('The data holder has answered');
    if (!(await remindHolder(tx, caseId, holder, ctx.now())))
      throw notRedrivable('The data holder has no queue, or the request already waits to be sent there');
    await recordAdminAction(tx, ctx, origin, {
      type: 'erasure.redriven',
      subject: caseId,
      details: { holder },
    });
  });
}

function notRedrivable(detail: string): DomainError {
  return new DomainError('not_redrivable', { detail });
}
