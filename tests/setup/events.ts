import type { UserEvent } from '../../shared/events/catalog';
import { claimEvents } from '../../shared/events/outbox';
import type { TestContext } from './context';

/** Every stored event as it is, or was, published: the outbox hands out what is due and unsent. */
export async function storedEvents(ctx: TestContext): Promise<UserEvent[]> {
  await ctx.db
    .updateTable('outbox')
    .set({ published_at: null, available_at: new Date(0) })
    .execute();
  const claimed = await claimEvents(ctx.db, 10_000);
  return claimed.map((item) => item.event);
}
