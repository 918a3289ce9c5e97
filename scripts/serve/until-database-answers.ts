import type { Context } from '../../shared/context/context';
import { countBacklog } from '../../shared/outbox/dispatch-store';
import { pause } from '../../shared/pause';
import { explain } from '../explain';

const RETRY_MS = 1_000;

/**
 * Waits until the database is up and migrated. Consumers that start earlier would fail, and every waiting event would count
 * an attempt. (The broker needs no such wait: relay and poller keep trying.)
 */
export async function untilDatabaseAnswers(ctx: Context, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await countBacklog(ctx.db);
      return;
    } catch (error) {
      ctx.log.warn('The database is not ready: the tasks wait for it', { reason: explain(error) });
      await pause(RETRY_MS, signal);
    }
  }
}
