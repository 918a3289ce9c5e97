import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import { type Export, MAX_DEADLINE_SECONDS, OWN_PART, stateOf } from './export-case';

export interface NewExport {
  id: string;
  userId: string;
  requestedBy: Export['requestedBy'];
  /** This service's own part, sealed. */
  part: Buffer;
  now: Date;
}

/**
 * Opens a case in which every holder that is registered now owes an answer, and locks the holders against their deletion. The
 * caller holds a lock on the user.
 */
export async function insertExport(tx: Tx, opened: NewExport): Promise<void> {
  const { id, userId, requestedBy, part, now } = opened;
  await tx
    .insertInto('export_cases')
    .values({ id, user_id: userId, requested_by: requestedBy, opened_at: now })
    .execute();
  await sql`
    insert into export_receipts (case_id, holder, due_at, outcome, received_at, part)
    values (${id}, ${OWN_PART}, ${now}, 'exported', ${now}, ${part})`.execute(tx);
  await sql`
    insert into export_receipts (case_id, holder, due_at)
    select ${id}, name, ${now}::timestamptz + least(deadline_seconds, ${MAX_DEADLINE_SECONDS}) * interval '1 second'
    from data_holders for key share`.execute(tx);
}

/** An answer that can still come in time. */
const isAwaited = (now: Date) => sql<boolean>`exists (
  select from export_receipts where case_id = export_cases.id and received_at is null and due_at > ${now})`;

/** @returns the id of the user's export that awaits answers, or null */
export async function findPending(tx: Tx, userId: string, now: Date): Promise<string | null> {
  const row = await tx
    .selectFrom('export_cases')
    .select('id')
    .where('user_id', '=', userId)
    .where('ready_at', 'is', null)
    .where(isAwaited(now))
    .executeTakeFirst();
  return row?.id ?? null;
}

/** @returns null if there is none, or its time is over */
export async function findExport(db: Db, id: string, now: Date): Promise<Export | null> {
  const found = await db
    .selectFrom('export_cases')
    .selectAll()
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst();
  if (!found) return null;
  const rows = await db
    .selectFrom('export_receipts')
    .select(['holder', 'due_at', 'outcome', 'received_at', 'received_by'])
    .where('case_id', '=', id)
    .where('holder', '<>', OWN_PART)
    .orderBy('holder')
    .execute();
  const receipts = rows.map((row) => ({
    holder: row.holder,
    dueAt: row.due_at.toISOString(),
    isOverdue: row.received_at === null && row.due_at <= now,
    outcome: row.outcome,
    receivedAt: row.received_at?.toISOString() ?? null,
    receivedBy: row.received_by,
  }));
  return {
    id,
    userId: found.user_id,
    requestedBy: found.requested_by,
    state: stateOf(receipts),
    openedAt: found.opened_at.toISOString(),
    readyAt: found.ready_at?.toISOString() ?? null,
    expiresAt: found.expires_at?.toISOString() ?? null,
    receipts,
  };
}

/**
 * Locks an export, which orders its receipts, and its user: first the user, as a deletion does, and because an event may
 * follow.
 * @returns the user's id; null if there is no export, or its time is over
 */
export async function lockExport(tx: Tx, id: string, now: Date): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select id from users where id = (select user_id from export_cases where id = ${id}) for update`.execute(
    tx,
  );
  const [user] = rows;
  if (!user) return null;
  const found = await sql`
    select from export_cases where id = ${id} and (expires_at is null or expires_at > ${now}) for update`.execute(
    tx,
  );
  return found.rows.length > 0 ? user.id : null;
}

/** How much an export, which the caller has locked, holds. */
export async function storedPartBytes(tx: Tx, id: string): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`
    select coalesce(sum(octet_length(part)), 0) as bytes from export_receipts where case_id = ${id}`.execute(
    tx,
  );
  return Number(rows[0]?.bytes);
}

export async function storePart(tx: Tx, id: string, holder: string, part: Buffer): Promise<void> {
  await tx
    .updateTable('export_receipts')
    .set({ part })
    .where('case_id', '=', id)
    .where('holder', '=', holder)
    .execute();
}

/** The parts of those that have answered; null for a holder that holds nothing. */
export async function listParts(db: Db, id: string): Promise<{ holder: string; part: Buffer | null }[]> {
  return db
    .selectFrom('export_receipts')
    .select(['holder', 'part'])
    .where('case_id', '=', id)
    .where('received_at', 'is not', null)
    .orderBy('holder')
    .execute();
}

/** Marks an export, which the caller has locked or inserted, as ready. @returns false if it was, or an answer can still come in time */
export async function setReady(tx: Tx, id: string, now: Date, expiresAt: Date): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('export_cases')
    .set({ ready_at: now, expires_at: expiresAt })
    .where('id', '=', id)
    .where('ready_at', 'is', null)
    .where(({ not }) => not(isAwaited(now)))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Exports whose deadlines have passed and that nobody has marked as ready. */
export async function listDue(db: Db, now: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('export_cases')
    .select('id')
    .where('ready_at', 'is', null)
    .where(({ not }) => not(isAwaited(now)))
    .orderBy('opened_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Whether an export awaits an answer of the holder. */
export async function isAwaitedForExport(tx: Tx, holder: string): Promise<boolean> {
  const { rows } = await sql`
    select from export_receipts join export_cases on export_cases.id = case_id and ready_at is null
    where holder = ${holder} and received_at is null limit 1`.execute(tx);
  return rows.length > 0;
}
