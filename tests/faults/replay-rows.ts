import { setTimeout as wait } from 'node:timers/promises';
import { rebuildAnalytics } from '../../shared/analytics/rebuild-analytics';
import { queueOf } from '../../shared/broker/topology';
import { createContext } from '../../shared/context/context';
import { replayEvents } from '../../shared/event-operations/replay-events';
import { NOBODY } from '../../shared/events/origin';
import { createLog } from '../../shared/log';
import { findReplay } from '../../shared/outbox/replay-store';
import type { Miss, Size } from './rows';
import type { Scenario } from './scenario';

const TIMEOUT_MS = 120_000;

/** Everything so far is replayed to the audit log and counted again, while more users register. */
export async function replayedMeanwhile(scenario: Scenario, { users }: Size): Promise<Miss[]> {
  const { db, config } = scenario;
  await scenario.register(Math.ceil(users / 2));
  const ctx = createContext(config, createLog('silent'));
  const { id } = await replayEvents(ctx, { queue: queueOf(config.events, 'audit') }, NOBODY);
  const { replayId } = await rebuildAnalytics(ctx, {}, NOBODY);
  await ctx.db.destroy();
  await scenario.register(Math.floor(users / 2));
  const misses: Miss[] = [];
  for (const replay of [id, replayId]) misses.push(...(await checkFinished(() => findReplay(db, replay))));
  return misses;
}

async function checkFinished(find: () => ReturnType<typeof findReplay>): Promise<Miss[]> {
  const end = performance.now() + TIMEOUT_MS;
  for (;;) {
    const replay = await find();
    if (replay?.status === 'finished') return replay.sent > 0 ? [] : [{ what: 'a replay sent nothing' }];
    if (performance.now() > end) return [{ what: `a replay has sent ${replay?.sent} of ${replay?.total}` }];
    await wait(200);
  }
}
