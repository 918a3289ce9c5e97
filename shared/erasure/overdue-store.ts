import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import { dispatchToQueue } from '../outbox/dispatch-store';
import { iso } from './case-store';

/** An answer that is overdue. */
export interface Overdue {
  caseId: string;
  holder: string;
  contact: string | null;
}

/**
 * Marks overdue answers as asked for again, and has the request sent to the queues of their holders.
 * @param remindedBefore those that were asked for later than this have to wait
 * @returns at most `limit` of them
 */
export async function remindOverdue(
  tx: Tx,
  now: Date,
  remindedBefore: Date,
  limit: number,
): Promise<Overdue[]> {
  const { rows } = await sql<{ case_id: string; holder: string; contact: string | null }>`
    with overdue as (
      select case_id, holder from erasure_receipts
      where received_at is null and due_at <= ${now} and (reminded_at is null or reminded_at < ${remindedBefore})
      order by due_at limit ${limit} for update skip locked
    )
    update erasure_receipts as receipt set reminded_at = ${now}, reminders = reminders + 1
    from overdue left join data_holders on data_holders.name = overdue.holder
    where receipt.case_id = overdue.case_id and receipt.holder = overdue.holder
    returning receipt.case_id, receipt.holder, data_holders.contact`.execute(tx);
  const reminded = rows.map((row) => ({ caseId: row.case_id, holder: row.holder, contact: row.contact }));
  await sendRequestAgain(tx, reminded);
  return reminded;
}

/** Marks one answer as asked for again, and has the request sent to its holder's queue. @returns whether there is a queue */
export async function remindHolder(tx: Tx, caseId: string, holder: string, now: Date): Promise<boolean> {
  await sql`
    update erasure_receipts set reminded_at = ${now}, reminders = reminders + 1
    where case_id = ${caseId} and holder = ${holder}`.execute(tx);
  return (await sendRequestAgain(tx, [{ caseId, holder }])) > 0;
}

/** The event is built anew with its old id: the log may have been purged of it. @returns how many have a queue */
async function sendRequestAgain(tx: Tx, asked: { caseId: string; holder: string }[]): Promise<number> {
  if (asked.length === 0) return 0;
  const { numAffectedRows } = await dispatchToQueue(sql`
    select data_holders.queue, cases.event_id, cases.user_id as subject, null::uuid as replay_id,
      jsonb_build_object(
        'specversion', '1.0', 'id', cases.event_id, 'source', 'rollcall', 'type', 'user.erasure_requested',
        'subject', cases.user_id, 'time', ${iso('cases.opened_at')}, 'datacontenttype', 'application/json',
        'sequence', cases.sequence, 'data', jsonb_build_object('id', cases.user_id, 'caseId', cases.id)) as event
    from unnest(${asked.map(({ caseId }) => caseId)}::uuid[], ${asked.map(({ holder }) => holder)}::text[])
      as asked (case_id, holder)
    join erasure_cases as cases on cases.id = asked.case_id
    join data_holders on data_holders.name = asked.holder and data_holders.queue is not null
    -- Not a second time while the first one waits: the queue may be gone.
    where not exists (
      select from dispatch where dispatch.event_id = cases.event_id and dispatch.queue = data_holders.queue)
    order by cases.id
    -- A change of the queue waits, and then withdraws these.
    for share of data_holders`).execute(tx);
  return Number(numAffectedRows ?? 0);
}

/**
 * Withdraws requests of a holder that wait to be sent to this queue again, which may not exist: the relay would try for ever.
 * They stay for another holder with the same queue whose answer is awaited.
 * @param caseId omitted: of all cases
 */
export async function withdrawRequests(
  tx: Tx,
  holder: string,
  queue: string,
  caseId?: string,
): Promise<void> {
  await sql`
    delete from dispatch where position in (
      select waiting.position from erasure_receipts as receipt
      join erasure_cases as cases on cases.id = receipt.case_id
      join dispatch as waiting on waiting.event_id = cases.event_id and waiting.queue = ${queue}
      where receipt.holder = ${holder} ${caseId === undefined ? sql`` : sql`and receipt.case_id = ${caseId}`}
      and waiting.replay_id is null
      and not exists (
        select from erasure_receipts as other join data_holders on data_holders.name = other.holder
        where other.case_id = receipt.case_id and other.holder <> receipt.holder
        and other.received_at is null and data_holders.queue = waiting.queue)
      order by waiting.position for update of waiting)`.execute(tx);
}

/** How many answers are overdue. */
export async function countOverdue(db: Db, now: Date): Promise<number> {
  const row = await db
    .selectFrom('erasure_receipts')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('received_at', 'is', null)
    .where('due_at', '<=', now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
