import type { Config } from '../config';
import { countBacklog } from '../outbox/dispatch-store';
import type { BrokerContext } from '../outbox/publisher';
import { type EventTask, findTaskRuns, type TaskRun } from '../tasks/task-run-store';
import { within } from '../within';
import { shareLook } from './share-look';

const CHECK_TIMEOUT_MS = 2_000;
/** Past the time that a run takes, until the next one has to have begun. Both are scheduled every minute. */
const OVERDUE_SECONDS = 120;

export interface Health {
  /** `degraded`: users can register, and their events wait. */
  status: 'ok' | 'degraded' | 'down';
  database: 'up' | 'down';
  /** `blocked`: it answers, but an alarm (memory, disk) keeps it from taking messages. */
  broker: 'up' | 'blocked' | 'down';
  /** `pending` stops counting at 10,000. */
  outbox: { pending: number; oldestSeconds: number } | null;
  /** What sends the events. */
  relay: TaskHealth | null;
  /** What has the consumers handle them. */
  poller: TaskHealth | null;
}

export interface TaskHealth {
  lastRunSeconds: number | null;
  problem: string | null;
}

type Asked = Pick<BrokerContext, 'config' | 'db' | 'broker' | 'log' | 'now'>;

/**
 * Asks the database and the broker, side by side, each for at most two seconds. Anyone may ask, as often as they like: the
 * answer may be a second old. Never throws.
 */
export const checkHealth = shareLook(look);

async function look(ctx: Asked): Promise<Health> {
  const [stored, broker] = await Promise.all([checkDatabase(ctx), checkBroker(ctx)]);
  if (!stored) return { status: 'down', database: 'down', broker, outbox: null, relay: null, poller: null };
  const { outbox, runs } = stored;
  const { relay: relayConfig, poll } = ctx.config;
  const relay = taskHealth('relay-outbox', runs, relayConfig);
  const poller = taskHealth('poll-queues', runs, poll);
  const works = broker === 'up' && relay.problem === null && poller.problem === null;
  return { status: works ? 'ok' : 'degraded', database: 'up', broker, outbox, relay, poller };
}

function taskHealth(
  task: EventTask,
  runs: Map<string, TaskRun>,
  { budgetMs }: Config['relay'] | Config['poll'],
): TaskHealth {
  const run = runs.get(task);
  if (!run) return { lastRunSeconds: null, problem: `${task} has not run yet: ${ADVICE}` };
  const overdue = run.lastRunSeconds > budgetMs / 1000 + OVERDUE_SECONDS;
  return overdue ? { ...run, problem: `${task} has not run for ${run.lastRunSeconds} s: ${ADVICE}` } : run;
}

const ADVICE = 'check its schedule and its log, or, without Lambda, that npm run worker runs';

async function checkDatabase(ctx: Asked) {
  const look = async () => ({ outbox: await countBacklog(ctx.db), runs: await findTaskRuns(ctx.db) });
  const stored = look().catch((error: unknown) => {
    ctx.log.error('The database cannot be reached', { error });
    return null;
  });
  return within(CHECK_TIMEOUT_MS, stored, null);
}

async function checkBroker(ctx: Asked): Promise<Health['broker']> {
  const state = ctx.broker.open(CHECK_TIMEOUT_MS).then(
    (connection) => (connection.blocked ? 'blocked' : 'up'),
    (error: unknown) => {
      ctx.log.warn('The broker cannot be reached', { error });
      return 'down' as const;
    },
  );
  return within(CHECK_TIMEOUT_MS, state, 'down' as const);
}
