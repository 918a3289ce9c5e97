import { isDeepStrictEqual } from 'node:util';
import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { UserEvent } from '../events/catalog';
import type { Origin } from '../events/origin';
import { auditedLetter, type DeadLetter, lockDeadLetter, replaceEvent } from './dead-letter-store';

/**
 * Puts another event in a dead letter's place.
 * @throws DomainError `not_found`, or `invalid_request` where it would become another event than it is
 */
export async function editDeadLetter(
  ctx: Context,
  id: string,
  event: UserEvent,
  origin: Origin,
): Promise<DeadLetter> {
  return ctx.db.transaction().execute(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (!letter) throw new DomainError('not_found');
    for (const field of ['id', 'subject'] as const) {
      if (letter.event && letter.event[field] !== event[field]) {
        const errors = [{ path: `event.${field}`, message: `must stay ${letter.event[field]}` }];
        throw new DomainError('invalid_request', { errors });
      }
    }
    const edited = { ...letter, eventId: event.id, event: await replaceEvent(tx, id, event), body: null };
    await recordAdminAction(tx, ctx, origin, {
      type: 'dead_letter.edited',
      subject: id,
      // The names of what has changed: the values may be a user's.
      details: {
        fields: changedFields(letter.event, event),
        before: auditedLetter(letter),
        after: auditedLetter(edited),
      },
    });
    return edited;
  });
}

function changedFields(before: UserEvent | null, after: UserEvent): string[] {
  const flat = (event: UserEvent | null) =>
    new Map<string, unknown>([
      ...Object.entries(event ?? {}).filter(([name]) => name !== 'data'),
      ...Object.entries(event?.data ?? {}).map(([name, value]) => [`data.${name}`, value] as const),
    ]);
  const [was, is] = [flat(before), flat(after)];
  const names = new Set([...was.keys(), ...is.keys()]);
  return [...names].filter((name) => !isDeepStrictEqual(was.get(name), is.get(name)));
}
