import { forgetCounted } from '../analytics/analytics-store';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';
import { dispatchStep, eventsOfStep, isReplayRunning, lockNextReplay } from '../outbox/replay-store';
import { pause } from '../pause';

/** How many events of the log a step looks at: some tens of milliseconds, whatever the log holds. */
const STEP_SIZE = 2_000;
/** A replay waits while it has so many events in `dispatch`: what happens meanwhile is sent after those, not after all. */
const MAX_UNDER_WAY = 4_000;
const FULL_PAUSE_MS = 50;

/**
 * Takes the steps of replays until the budget is spent. Safe to run several at once. A step is done or it is not: after a
 * crash, at whatever point, the next one goes on where the last one ended.
 */
export async function runReplays(ctx: Context, budgetMs: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + budgetMs;
  do {
    const step = await takeReplayStep(ctx.db).catch((error: unknown) => {
      ctx.log.error('A step of a replay failed and will be repeated', { error });
      return 'none' as const;
    });
    const pauseMs = { taken: 0, full: FULL_PAUSE_MS, none: ctx.config.relay.idleMs }[step];
    if (pauseMs > 0) await pause(Math.min(pauseMs, end - performance.now()), signal);
  } while (performance.now() < end && !signal?.aborted);
}

/** @returns `full` where each replay has enough under way */
export async function takeReplayStep(db: Db, stepSize = STEP_SIZE): Promise<'taken' | 'full' | 'none'> {
  if (!(await isReplayRunning(db))) return 'none';
  return db.transaction().execute(async (tx) => {
    const replay = await lockNextReplay(tx);
    if (!replay) return 'none';
    if (replay.underWay >= MAX_UNDER_WAY) return 'full';
    if (replay.recount) await forgetCounted(tx, () => eventsOfStep(tx, replay, stepSize));
    await dispatchStep(tx, replay, stepSize);
    return 'taken';
  });
}
