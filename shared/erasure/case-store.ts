import { type RawBuilder, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';

export type ReceivedBy = 'amqp' | 'http' | 'administrator';

/** What one holder owes to a case. */
export interface Receipt {
  holder: string;
  dueAt: string;
  isOverdue: boolean;
  /** Null until it has answered. */
  outcome: 'erased' | 'nothing_held' | null;
  receivedAt: string | null;
  receivedBy: ReceivedBy | null;
  /** How often it was asked again. */
  reminders: number;
  remindedAt: string | null;
}

/** An erasure and who has confirmed it. It names no person. */
export interface ErasureCase {
  id: string;
  userId: string;
  requestedBy: 'user' | 'administrator';
  openedAt: string;
  /** Null while answers are awaited. */
  completedAt: string | null;
  isOverdue: boolean;
  receipts: Receipt[];
}

export interface NewCase {
  id: string;
  userId: string;
  eventId: string;
  sequence: string;
  addressHash: Buffer | null;
  requestedBy: ErasureCase['requestedBy'];
  now: Date;
}

/**
 * Opens a case in which every holder that is registered now owes an answer. Locks the holders against their deletion, which
 * would not see the case yet, and leave it to wait for a holder that is gone.
 * @returns how many
 */
export async function insertCase(tx: Tx, opened: NewCase): Promise<number> {
  const { id, userId, eventId, sequence, addressHash, requestedBy, now } = opened;
  await tx
    .insertInto('erasure_cases')
    .values({
      id,
      user_id: userId,
      event_id: eventId,
      sequence,
      address_hash: addressHash,
      requested_by: requestedBy,
      opened_at: now,
    })
    .execute();
  const { numAffectedRows } = await sql`
    insert into erasure_receipts (case_id, holder, due_at)
    select ${id}, name, ${now}::timestamptz + deadline_seconds * interval '1 second'
    from data_holders for key share`.execute(tx);
  return Number(numAffectedRows ?? 0);
}

/** Locks a case, which orders its receipts. @returns null if there is none */
export async function lockCase(
  tx: Tx,
  id: string,
): Promise<{ userId: string; sequence: string; isCompleted: boolean } | null> {
  const row = await tx
    .selectFrom('erasure_cases')
    .select(['user_id', 'sequence', 'completed_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) return null;
  return { userId: row.user_id, sequence: row.sequence, isCompleted: row.completed_at !== null };
}

/** Completes a case that the caller has locked. @returns false while an answer is awaited */
export async function completeCase(tx: Tx, id: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('erasure_cases')
    .set({ completed_at: now })
    .where('id', '=', id)
    .where('completed_at', 'is', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('erasure_receipts')
            .select('holder')
            .where('case_id', '=', id)
            .where('received_at', 'is', null),
        ),
      ),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export interface CaseFilter {
  state?: 'open' | 'overdue' | 'completed' | undefined;
  holder?: string | undefined;
  /** Only cases whose address has one of these hashes. */
  addressHashes?: Buffer[] | undefined;
}

/** Newest first. @param before the id of the last case of the page before */
export async function listCases(
  db: Db,
  { state, holder, addressHashes }: CaseFilter,
  now: Date,
  limit: number,
  before?: string,
): Promise<ErasureCase[]> {
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  const owed = (condition: RawBuilder<unknown>) =>
    sql`exists (select from erasure_receipts where case_id = erasure_cases.id and ${condition})`;
  if (state === 'completed') conditions.push(sql`completed_at is not null`);
  if (state === 'open' || state === 'overdue') conditions.push(sql`completed_at is null`);
  if (state === 'overdue') conditions.push(owed(sql`received_at is null and due_at <= ${now}`));
  if (holder !== undefined) conditions.push(owed(sql`holder = ${holder}`));
  if (addressHashes) conditions.push(sql`address_hash = any(${addressHashes}::bytea[])`);
  if (before !== undefined) conditions.push(sql`id < ${before}`);
  const { rows } = await sql<{ case: ErasureCase }>`
    select ${CASE(now)} as case from erasure_cases where ${sql.join(conditions, sql` and `)}
    order by id desc limit ${limit}`.execute(db);
  return rows.map((row) => row.case);
}

export async function findCase(db: Db, id: string, now: Date): Promise<ErasureCase | null> {
  const { rows } = await sql<{ case: ErasureCase }>`
    select ${CASE(now)} as case from erasure_cases where id = ${id}`.execute(db);
  return rows[0]?.case ?? null;
}

/** A time as `toISOString` writes it. */
export const iso = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const CASE = (now: Date) => sql`(
  select jsonb_build_object(
    'id', id, 'userId', user_id, 'requestedBy', requested_by,
    'openedAt', ${iso('opened_at')}, 'completedAt', ${iso('completed_at')},
    'isOverdue', coalesce(bool_or(received_at is null and due_at <= ${now}), false),
    'receipts', coalesce(jsonb_agg(jsonb_build_object(
      'holder', holder, 'dueAt', ${iso('due_at')}, 'isOverdue', received_at is null and due_at <= ${now},
      'outcome', outcome, 'receivedAt', ${iso('received_at')}, 'receivedBy', received_by,
      'reminders', reminders, 'remindedAt', ${iso('reminded_at')}
    ) order by holder) filter (where holder is not null), '[]'))
  from (select) as always left join erasure_receipts on case_id = erasure_cases.id)`;
