import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../db/connection';
import type { DataHoldersTable } from '../db/tables';
import { isAwaitedForExport } from '../exports/export-store';
import type { DataHolder, HolderSettings } from './data-holder';

function holderFromRow(row: Selectable<DataHoldersTable>): DataHolder {
  return {
    name: row.name,
    contact: row.contact,
    deadlineSeconds: row.deadline_seconds,
    queue: row.queue,
    hasKey: row.key_hash !== null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    version: row.version,
  };
}

/** All holders, by name. Without pages: there are only as many as a company has services. */
export async function listDataHolders(db: Db): Promise<DataHolder[]> {
  const rows = await db.selectFrom('data_holders').selectAll().orderBy('name').execute();
  return rows.map(holderFromRow);
}

export async function findDataHolder(db: Db, name: string): Promise<DataHolder | null> {
  const row = await db.selectFrom('data_holders').selectAll().where('name', '=', name).executeTakeFirst();
  return row ? holderFromRow(row) : null;
}

/** Like `findDataHolder`; locks the row until the transaction ends. */
export async function lockDataHolder(tx: Tx, name: string): Promise<DataHolder | null> {
  const row = await tx
    .selectFrom('data_holders')
    .selectAll()
    .where('name', '=', name)
    .forUpdate()
    .executeTakeFirst();
  return row ? holderFromRow(row) : null;
}

/** @returns the name of the holder with this key, or null */
export async function findHolderByKey(db: Db, keyHash: Buffer): Promise<string | null> {
  const row = await db
    .selectFrom('data_holders')
    .select('name')
    .where('key_hash', '=', keyHash)
    .executeTakeFirst();
  return row?.name ?? null;
}

/** Creates a holder or replaces its settings. Its key stays. */
export async function upsertDataHolder(
  tx: Tx,
  name: string,
  { contact, deadlineSeconds, queue }: HolderSettings,
  now: Date,
): Promise<DataHolder> {
  const row = await tx
    .insertInto('data_holders')
    .values({ name, contact, deadline_seconds: deadlineSeconds, queue, created_at: now, updated_at: now })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({
        contact,
        deadline_seconds: deadlineSeconds,
        queue,
        updated_at: now,
        version: eb('data_holders.version', '+', 1),
      })),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return holderFromRow(row);
}

/** Replaces the key of a holder whom the caller has locked. */
export async function setHolderKey(tx: Tx, name: string, keyHash: Buffer, now: Date): Promise<DataHolder> {
  const row = await tx
    .updateTable('data_holders')
    .set((eb) => ({ key_hash: keyHash, updated_at: now, version: eb('version', '+', 1) }))
    .where('name', '=', name)
    .returningAll()
    .executeTakeFirstOrThrow();
  return holderFromRow(row);
}

export async function deleteDataHolderRow(tx: Tx, name: string): Promise<void> {
  await tx.deleteFrom('data_holders').where('name', '=', name).execute();
}

/** Whether an open case awaits an answer of the holder. */
export async function isAwaited(tx: Tx, name: string): Promise<boolean> {
  const { rows } = await sql`
    select from erasure_receipts where holder = ${name} and received_at is null limit 1`.execute(tx);
  return rows.length > 0 || (await isAwaitedForExport(tx, name));
}
