import type { Context } from '../context';
import { DomainError } from '../errors';
import { deleteDeadLetter, isDeadLetterId } from './dead-letter-store';

/** @throws DomainError `not_found` */
export async function discardDeadLetter(ctx: Context, id: string): Promise<void> {
  if (!isDeadLetterId(id) || !(await deleteDeadLetter(ctx.db, id))) throw new DomainError('not_found');
  ctx.log.info('A dead letter was deleted', { deadLetterId: id });
}
