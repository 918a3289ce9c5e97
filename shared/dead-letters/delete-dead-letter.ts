import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { auditedLetter, deleteDeadLetterRow, lockDeadLetter } from './dead-letter-store';

/** @throws DomainError `not_found` */
export async function deleteDeadLetter(ctx: Context, id: string, origin: Origin): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (!letter) throw new DomainError('not_found');
    await deleteDeadLetterRow(tx, id);
    const details = { before: auditedLetter(letter), after: null };
    await recordAdminAction(tx, ctx, origin, { type: 'dead_letter.deleted', subject: id, details });
  });
  ctx.log.info('A dead letter was deleted', { deadLetterId: id });
}
