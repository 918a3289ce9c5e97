import type { TestContext } from './context';

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
