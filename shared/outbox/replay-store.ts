import { sql } from 'kysely';
import type { Tx } from '../db/connection';
import type { EventType } from '../events/catalog';
import { dispatchToQueue } from './dispatch-store';
import { holdLog } from './log-start-store';

export interface ReplayFilter {
  queue: string;
  /** Of the events' own times. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
  types?: EventType[] | undefined;
  subject?: string | undefined;
}

/** Has past events sent to one queue again, in their order, as the log has them then. @returns how many */
export async function replayEvents(tx: Tx, filter: ReplayFilter): Promise<number> {
  // A purge beside this would not see that these events are about to be sent, and take them.
  await holdLog(tx);
  const { queue, from = null, to = null, types = null, subject = null } = filter;
  const { numAffectedRows } = await dispatchToQueue(sql`
    select ${queue}::text as queue, id as event_id, subject, null::uuid as replay_id, null::jsonb as event from events
    -- What is unsent is on its way there already.
    where not exists (select from dispatch where dispatch.event_id = events.id and dispatch.queue is null)
    and (${from}::timestamptz is null or time >= ${from}::timestamptz)
    and (${to}::timestamptz is null or time < ${to}::timestamptz)
    and (${types}::text[] is null or type = any(${types}::text[]))
    and (${subject}::uuid is null or subject = ${subject}::uuid)
    order by position`).execute(tx);
  return Number(numAffectedRows ?? 0);
}
