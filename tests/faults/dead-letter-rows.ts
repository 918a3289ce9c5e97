import { sql } from 'kysely';
import { queueOf } from '../../shared/broker/topology';
import { createContext } from '../../shared/context/context';
import { redriveDeadLetters } from '../../shared/dead-letters/redrive';
import { NOBODY } from '../../shared/events/origin';
import { createLog } from '../../shared/log';
import { isAmong } from './chance';
import type { Outcome } from './effects';
import type { Miss, Size } from './rows';
import type { Scenario } from './scenario';

/** Exactly the poison is dead, after exactly the configured attempts, and the healthy hardly noticed. */
export async function checkPoison(
  { db, config }: Scenario,
  percent: number,
  outcome: Outcome,
  normal: Outcome | undefined,
): Promise<Miss[]> {
  const attempts = config.events.retryDelaysMs.length + 1;
  const { rows } = await sql<{
    id: string;
    dead: boolean;
    attempts: number | null;
    deliveries: number | null;
  }>`
    select events.id, dead_letters.id is not null as dead, dead_letters.attempts, deliveries.count as deliveries
    from events
    left join dead_letters on dead_letters.message_id = events.id::text
    left join deliveries on deliveries.event_id = events.id`.execute(db);
  const poison = rows.filter((row) => isAmong(row.id, percent));
  const alive = poison.filter((row) => !row.dead).length;
  // One that waits for another poisonous one of its user may be delivered along with it, which is no attempt.
  const wrong = poison.filter(
    (row) => row.attempts !== attempts || row.deliveries === null || row.deliveries < attempts,
  ).length;
  const buried = rows.filter((row) => row.dead && !isAmong(row.id, percent)).length;
  const ratio = outcome.lagP99 / (normal?.lagP99 ?? Number.POSITIVE_INFINITY);
  const misses: Miss[] = [];
  if (poison.length === 0) misses.push({ what: 'there was no poison' });
  if (alive > 0) misses.push({ what: `${alive} poisonous events are no dead letters` });
  if (wrong > 0) misses.push({ what: `${wrong} had another number of attempts than ${attempts}` });
  if (buried > 0) misses.push({ what: `${buried} healthy events are dead letters` });
  if (ratio > 2)
    misses.push({ what: `the healthy p99 is ${ratio.toFixed(1)} × the normal one`, isTiming: true });
  return misses;
}

/** Every event fails until all are dead letters; then the function is mended, and they are sent again. */
export async function buriedThenRedriven(scenario: Scenario, { users }: Size): Promise<Miss[]> {
  const { db, config } = scenario;
  await scenario.register(users);
  await scenario.settle();
  const buried = await db
    .selectFrom('dead_letters')
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .execute();
  await scenario.container('poller').restart({ failsEverything: false });
  const ctx = createContext(config, createLog('silent'));
  const redriven = await redriveDeadLetters(ctx, queueOf(config.events, 'audit'), NOBODY);
  await ctx.db.destroy();
  return redriven === Number(buried[0]?.n) && redriven >= users
    ? []
    : [{ what: `only ${redriven} were redriven` }];
}
