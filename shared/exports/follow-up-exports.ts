import type { Context } from '../context/context';
import { NOBODY } from '../events/origin';
import { listDue, lockExport } from './export-store';
import { markReadyIfAnswered } from './mark-ready';

const BATCH_SIZE = 100;

/** Marks exports whose deadlines have passed as ready, without those who have not answered. @returns how many */
export async function followUpExports(ctx: Context, budgetMs: number, signal?: AbortSignal): Promise<number> {
  const end = performance.now() + budgetMs;
  let marked = 0;
  for (let batch = BATCH_SIZE; batch === BATCH_SIZE && performance.now() < end && !signal?.aborted; ) {
    const due = await listDue(ctx.db, ctx.now(), BATCH_SIZE);
    for (const id of due) {
      const isMarked = await ctx.db.transaction().execute(async (tx) => {
        const userId = await lockExport(tx, id, ctx.now());
        return userId !== null && markReadyIfAnswered(tx, ctx, { id, userId }, NOBODY);
      });
      if (isMarked) marked++;
    }
    batch = due.length;
  }
  if (marked > 0) ctx.log.warn('Exports are ready without the answers of all data holders', { marked });
  return marked;
}
