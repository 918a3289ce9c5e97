import type { Context } from '../../shared/context/context';
import { countBacklog } from '../../shared/outbox/dispatch-store';
import { pause } from '../../shared/pause';
import { explain } from '../explain';

const RETRY_MS = 1_000;

/**
 * Waits for a database that is there and migrated. Consumers that start before it would fail, and every event that is
 * waiting would lose an attempt. (The broker needs no such wait: relay and poller go on trying by themselves.)
 */
export async function untilDatabaseAnswers(ctx: Context, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await countBacklog(ctx.db);
      return;
    } catch (error) {
      ctx.log.warn('The database cannot be used yet: the tasks wait for it', { reason: explain(error) });
      await pause(RETRY_MS, signal);
    }
  }
}
