import type { Db, Tx } from '../db/connection';

export async function wasWelcomed(db: Db, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom('welcomed_users')
    .select('user_id')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function markWelcomed(tx: Tx, userId: string, now: Date): Promise<void> {
  await tx
    .insertInto('welcomed_users')
    .values({ user_id: userId, welcomed_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
