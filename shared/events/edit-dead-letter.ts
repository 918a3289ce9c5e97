import type { Context } from '../context';
import { DomainError } from '../errors';
import type { UserEvent } from './catalog';
import { type DeadLetter, isDeadLetterId, lockDeadLetter, replaceEvent } from './dead-letter-store';

/**
 * Puts another event in a dead letter's place.
 * @throws DomainError `not_found`, or `invalid_request` where it would become another event than it is
 */
export async function editDeadLetter(ctx: Context, id: string, event: UserEvent): Promise<DeadLetter> {
  if (!isDeadLetterId(id)) throw new DomainError('not_found');
  return ctx.db.transaction().execute(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (!letter) throw new DomainError('not_found');
    for (const field of ['id', 'subject'] as const) {
      if (letter.event && letter.event[field] !== event[field]) {
        const errors = [{ path: `event.${field}`, message: `must stay ${letter.event[field]}` }];
        throw new DomainError('invalid_request', { errors });
      }
    }
    await replaceEvent(tx, id, event);
    return { ...letter, event, body: null };
  });
}
