import { sql } from 'kysely';
import type { UserEvent } from '../../shared/events/catalog';
import { claimEvents } from '../../shared/outbox/dispatch-store';
import type { TestContext } from './context';
import { makeDue } from './outbox';

/** Every stored event as it is, or was, published: a relay is handed what is due and unsent. */
export async function storedEvents(ctx: TestContext): Promise<UserEvent[]> {
  await sql`
    insert into dispatch (event_id, subject)
    select id, subject from events where not exists (select from dispatch where dispatch.event_id = events.id)
    order by position`.execute(ctx.db);
  await makeDue(ctx);
  const claimed = await claimEvents(ctx.db, 10_000);
  return claimed.events.map((item) => item.event);
}

/** The types of a user's events, in their order. */
export async function eventsOf(ctx: TestContext, userId: string): Promise<string[]> {
  const rows = await ctx.db
    .selectFrom('events')
    .select('type')
    .where('subject', '=', userId)
    .orderBy('position')
    .execute();
  return rows.map(({ type }) => type);
}
