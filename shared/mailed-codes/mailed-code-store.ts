import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';

export interface CodeRequest {
  /** How the event calls it. */
  id: string;
  tokenHash: Buffer;
  /** Null: no user has the address. */
  userId: string | null;
  addressHash: Buffer;
  expiresAt: Date;
}

/** The newest requests of an address that are kept open. The limit on mails usually allows fewer. */
const MAX_OPEN = 10;
/** Each insert deletes this many expired requests, more than it adds, so the table stays small. */
const PURGED_PER_INSERT = 10;

/** Stores a request. One that is open deletes the oldest of the same address beyond `MAX_OPEN`. */
export async function insertCodeRequest(tx: Tx, request: CodeRequest, now: Date): Promise<void> {
  const { id, tokenHash, userId, addressHash, expiresAt } = request;
  await sql`
    with surplus as (
      delete from mailed_codes where hash in (
        select hash from mailed_codes
        where address_hash = ${addressHash} and expires_at > ${now} and ${expiresAt}::timestamptz > ${now}
        order by id desc offset ${MAX_OPEN - 1})),
    purged as (
      delete from mailed_codes where hash in (
        select hash from mailed_codes where expires_at <= ${now}
        order by expires_at limit ${PURGED_PER_INSERT} for update skip locked))
    insert into mailed_codes (id, hash, user_id, address_hash, expires_at)
    values (${id}, ${tokenHash}, ${userId}, ${addressHash}, ${expiresAt})`.execute(tx);
}

/** A request whose code is to be mailed. @returns null if it was mailed or used, has expired, or never was */
export async function findUnmailed(tx: Tx, id: string, now: Date): Promise<Omit<CodeRequest, 'id'> | null> {
  const row = await tx
    .selectFrom('mailed_codes')
    .select(['hash', 'user_id', 'address_hash', 'expires_at'])
    .where('id', '=', id)
    .where('mailed_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  if (!row) return null;
  return {
    tokenHash: row.hash,
    userId: row.user_id,
    addressHash: row.address_hash,
    expiresAt: row.expires_at,
  };
}

export async function markMailed(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.updateTable('mailed_codes').set({ mailed_at: now }).where('id', '=', id).execute();
}

/** A request at which a code is tried. */
export interface TriedRequest {
  userId: string | null;
  addressHash: Buffer;
  isMailed: boolean;
}

/**
 * Counts a try before its code is compared: of any number at once, no more than `max` are.
 * @returns null if the request was used, has expired, never was, or has no tries left
 */
export async function takeTry(
  db: Db,
  tokenHash: Buffer,
  max: number,
  now: Date,
): Promise<TriedRequest | null> {
  const row = await db
    .updateTable('mailed_codes')
    .set((eb) => ({ tries: eb('tries', '+', 1) }))
    .where('hash', '=', tokenHash)
    .where('tries', '<', max)
    .where('expires_at', '>', now)
    .returning(['user_id', 'address_hash', 'mailed_at'])
    .executeTakeFirst();
  if (!row) return null;
  return { userId: row.user_id, addressHash: row.address_hash, isMailed: row.mailed_at !== null };
}

/** @returns false if it was taken meanwhile: of concurrent uses of a code, one succeeds */
export async function takeCodeRequest(tx: Tx, tokenHash: Buffer): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('mailed_codes')
    .where('hash', '=', tokenHash)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Deletes all requests of a user. */
export async function deleteCodeRequests(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('mailed_codes').where('user_id', '=', userId).execute();
}
