import { sql } from 'kysely';
import type { Db, Tx } from '../db/connection';

export interface KeyClaim {
  key: Buffer;
  fingerprint: Buffer;
  /** The user whom the transaction creates. */
  userId: string;
  now: Date;
  expiresAt: Date;
}

/** Each claim deletes this many expired keys, more than it adds, so the table stays small. */
const PURGED_PER_CLAIM = 10;

/**
 * Claims a key for a registration. Must come first in its transaction: a concurrent request with the same key waits at
 * the unique index until that transaction ends, and gets the key if it rolled back.
 * @returns false if the key is in use
 */
export async function claimKey(tx: Tx, claim: KeyClaim): Promise<boolean> {
  const { rows } = await sql`
    with purged as (
      delete from idempotency_keys where key in (
        select key from idempotency_keys where expires_at <= ${claim.now} and key <> ${claim.key}
        order by expires_at limit ${PURGED_PER_CLAIM} for update skip locked))
    insert into idempotency_keys as stored (key, fingerprint, user_id, expires_at)
    values (${claim.key}, ${claim.fingerprint}, ${claim.userId}, ${claim.expiresAt})
    on conflict (key) do update set
      fingerprint = excluded.fingerprint, user_id = excluded.user_id, expires_at = excluded.expires_at
    where stored.expires_at <= ${claim.now}
    returning key`.execute(tx);
  return rows.length > 0;
}

export interface UsedKey {
  fingerprint: Buffer;
  /** The user's current username; null if they were deleted. */
  username: string | null;
}

export async function findUsedKey(db: Db, key: Buffer): Promise<UsedKey | null> {
  const row = await db
    .selectFrom('idempotency_keys')
    .leftJoin('users', 'users.id', 'idempotency_keys.user_id')
    .select(['idempotency_keys.fingerprint', 'users.username'])
    .where('idempotency_keys.key', '=', key)
    .executeTakeFirst();
  return row ?? null;
}
