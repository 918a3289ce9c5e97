import type { Context } from '../context/context';
import { NOBODY } from '../events/origin';
import { appendEvents } from '../outbox/event-store';
import { sequenceOf } from './sequence';
import { removeEndedSuspensions } from './suspension-store';

const BATCH_SIZE = 100;

/**
 * Appends `user.restored` for each user whose suspension has ended by itself, once also if several run at the same moment.
 * @returns how many users
 */
export async function restoreDueUsers(ctx: Context): Promise<number> {
  let total = 0;
  for (;;) {
    const count = await restoreBatch(ctx);
    total += count;
    if (count < BATCH_SIZE) return total;
  }
}

function restoreBatch(ctx: Context): Promise<number> {
  return ctx.db.transaction().execute(async (tx) => {
    const users = await removeEndedSuspensions(tx, ctx.now(), BATCH_SIZE);
    const events = users.map(({ id, version }) => ({
      type: 'user.restored' as const,
      subject: id,
      sequence: sequenceOf(version),
      data: { id },
      origin: NOBODY,
    }));
    await appendEvents(tx, ctx, 'relay', events);
    return users.length;
  });
}
