import { sql } from 'kysely';
import type { Context } from '../context/context';
import type { Db } from '../db/connection';

/** The scheduled tasks that events depend on. */
export type EventTask = 'relay-outbox' | 'poll-queues';

/** A problem is recorded every minute while it lasts (`OutageLog`); an older one is over. */
const PROBLEM_LASTS_SECONDS = 120;

export interface TaskRun {
  /** Since the last run started. */
  lastRunSeconds: number;
  /** Why it does not work now. */
  problem: string | null;
}

export async function recordRun(db: Db, task: EventTask): Promise<void> {
  await sql`
    insert into task_runs (task, started_at) values (${task}, now())
    on conflict (task) do update set started_at = now()`.execute(db);
}

/** Never throws: if it cannot be recorded, the database is the problem, and the health check reports that. */
export async function recordProblem(
  ctx: Pick<Context, 'db' | 'log'>,
  task: EventTask,
  problem: string | null,
): Promise<void> {
  try {
    await sql`
      insert into task_runs (task, started_at, problem, problem_at) values (${task}, now(), ${problem}, now())
      on conflict (task) do update set problem = ${problem}, problem_at = now()`.execute(ctx.db);
  } catch (error) {
    ctx.log.debug('A problem could not be recorded', { task, problem, error });
  }
}

/** Ends this problem, unless another one was recorded since. Never throws: by itself it ends soon after. */
export async function endProblem(
  ctx: Pick<Context, 'db' | 'log'>,
  task: EventTask,
  problem: string,
): Promise<void> {
  try {
    await sql`update task_runs set problem = null where task = ${task} and problem = ${problem}`.execute(
      ctx.db,
    );
  } catch (error) {
    ctx.log.debug('The end of a problem could not be recorded', { task, problem, error });
  }
}

/** @returns nothing for a task that has never run */
export async function findTaskRuns(db: Db): Promise<Map<string, TaskRun>> {
  const { rows } = await sql<{ task: string; seconds: number; problem: string | null }>`
    select task, extract(epoch from now() - started_at)::float8 as seconds,
      case when problem_at > now() - ${PROBLEM_LASTS_SECONDS} * interval '1 second' then problem end as problem
    from task_runs`.execute(db);
  return new Map(
    rows.map(({ task, seconds, problem }) => [
      task,
      { lastRunSeconds: Math.max(0, Math.round(seconds)), problem },
    ]),
  );
}
