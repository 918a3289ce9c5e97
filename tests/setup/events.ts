import type { UserEvent } from '../../shared/events/catalog';
import { claimEvents } from '../../shared/outbox/outbox';
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

/** The types of a user's events, in their order. */
export async function eventsOf(ctx: TestContext, userId: string): Promise<string[]> {
  const rows = await ctx.db
    .selectFrom('outbox')
    .select('type')
    .where('subject', '=', userId)
    .orderBy('position')
    .execute();
  return rows.map(({ type }) => type);
}
